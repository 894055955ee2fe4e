#pragma once

#include <zlib.h>

// What zlib has as macros: a stream that writes a gzip header (RFC 1952), which 16 added to the size of the window asks for.
static inline int martlet_gzip_begin(z_stream *stream, int level) {
  return deflateInit2(stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
}
