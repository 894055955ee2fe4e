package import Martlet
package import NIOCore

extension Channel {
  /// The host whose socket the channel, or one that it lives in, is over; nil for channels of others.
  package var virtualHost: VirtualHost? {
    if let channel = self as? SocketChannel { return channel.host }
    return parent?.virtualHost
  }
}
