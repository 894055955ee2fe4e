/// What a file's name says of its content (the registry of media types, RFC 6838).
enum MediaType {
  static let unknown = "application/octet-stream"

  /// The value of Content-Type for a file of this name; text carries `charset=utf-8`.
  static func ofFile(named name: some Sequence<UInt8>) -> String {
    var suffix: [UInt8]?
    for byte in name {
      if byte == UInt8(ascii: ".") {
        suffix = []
      } else {
        suffix?.append(byte | (UInt8(ascii: "A")...UInt8(ascii: "Z") ~= byte ? 0x20 : 0))
      }
    }
    guard let suffix else { return unknown }
    return types[String(decoding: suffix, as: UTF8.self)] ?? unknown
  }

  /// Whether such content gets smaller by gzip.
  static func isCompressible(_ type: String) -> Bool {
    let essence = type.prefix { $0 != ";" }
    return essence.hasPrefix("text/") || essence.hasSuffix("+xml") || essence.hasSuffix("+json")
      || compressible.contains(String(essence))
  }

  private static let compressible: Set<String> = [
    "application/json", "application/javascript", "application/xml", "application/wasm", "application/x-tar",
    "application/rtf", "application/vnd.ms-fontobject", "application/x-sh", "application/yaml", "application/sql",
    "application/toml", "font/ttf", "font/otf", "image/bmp", "image/x-icon", "application/x-ndjson",
  ]

  /// By suffix, without the point, in lower case.
  private static let types: [String: String] = {
    var types: [String: String] = [:]
    for line in table.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard let type = words.first.map(String.init) else { continue }
      let hasCharset =
        type.hasPrefix("text/") || ["application/json", "application/xml", "image/svg+xml"].contains(type)
        || type.hasSuffix("+json") || type.hasSuffix("+xml")
      for suffix in words.dropFirst() { types[String(suffix)] = hasCharset ? type + "; charset=utf-8" : type }
    }
    return types
  }()

  private static let table = """
    text/html html htm xhtml5
    text/css css
    text/javascript js mjs cjs
    text/plain txt text log conf cfg ini swift c h cc cpp hpp rs go py rb java kt sh patch diff tsx jsx tex
    text/markdown md markdown
    text/csv csv
    text/tab-separated-values tsv
    text/calendar ics
    text/vcard vcf
    text/vtt vtt
    text/troff 1 2 3 4 5 6 7 8 roff
    application/json json map
    application/ld+json jsonld
    application/geo+json geojson
    application/manifest+json webmanifest
    application/x-ndjson ndjson jsonl
    application/xml xml xsl xsd rng
    application/xhtml+xml xhtml
    application/atom+xml atom
    application/rss+xml rss
    application/yaml yaml yml
    application/toml toml
    application/sql sql
    application/wasm wasm
    application/pdf pdf
    application/postscript ps eps ai
    application/rtf rtf
    application/epub+zip epub
    application/zip zip
    application/gzip gz tgz
    application/x-bzip2 bz2
    application/x-xz xz
    application/zstd zst
    application/x-7z-compressed 7z
    application/vnd.rar rar
    application/x-tar tar
    application/java-archive jar war
    application/vnd.debian.binary-package deb
    application/x-rpm rpm
    application/x-iso9660-image iso
    application/vnd.tcpdump.pcap pcap pcapng
    application/vnd.android.package-archive apk
    application/x-sqlite3 sqlite sqlite3
    application/msword doc
    application/vnd.ms-excel xls
    application/vnd.ms-powerpoint ppt
    application/vnd.openxmlformats-officedocument.wordprocessingml.document docx
    application/vnd.openxmlformats-officedocument.spreadsheetml.sheet xlsx
    application/vnd.openxmlformats-officedocument.presentationml.presentation pptx
    application/vnd.oasis.opendocument.text odt
    application/vnd.oasis.opendocument.spreadsheet ods
    application/vnd.oasis.opendocument.presentation odp
    application/vnd.ms-fontobject eot
    application/vnd.apple.mpegurl m3u8
    application/dash+xml mpd
    image/png png
    image/apng apng
    image/jpeg jpg jpeg jpe jfif
    image/gif gif
    image/webp webp
    image/avif avif
    image/heic heic
    image/jxl jxl
    image/svg+xml svg
    image/bmp bmp
    image/tiff tif tiff
    image/x-icon ico cur
    font/woff woff
    font/woff2 woff2
    font/ttf ttf
    font/otf otf
    font/collection ttc
    audio/mpeg mp3
    audio/mp4 m4a
    audio/aac aac
    audio/ogg oga ogg opus
    audio/flac flac
    audio/wav wav
    audio/webm weba
    audio/midi mid midi
    video/mp4 mp4 m4v
    video/webm webm
    video/ogg ogv
    video/quicktime mov
    video/x-matroska mkv
    video/x-msvideo avi
    video/mpeg mpeg mpg
    video/mp2t ts
    video/3gpp 3gp
    model/gltf+json gltf
    model/gltf-binary glb
    """
}
