// Who tests in a world gets worlds and hosts with it.
@_exported public import Martlet
@_exported public import MartletLab
