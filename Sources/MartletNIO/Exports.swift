@_exported public import Martlet
