// Who imports Martlet gets addresses, sockets' vocabulary and links with it: one import for an application.
@_exported public import MartletCore
@_exported public import MartletLinks
@_exported public import MartletWire
