typealias Flow = TCPFlow
