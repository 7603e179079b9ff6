// BufferPlanner: gives buffers that live at different times the same memory.
#pragma once

#include <algorithm>
#include <numeric>
#include <vector>

#include "linnet/core/shape.hpp"

LINNET_NAMESPACE_BEGIN

class BufferPlanner {
 public:
  /// Asks for `size` scalars that are in use from moment `first` to moment `last`, both included.
  /// Returns the number by which offset() knows the buffer.
  int request(Index size, int first, int last) {
    buffers_.push_back({size, first, last, 0});
    return static_cast<int>(buffers_.size()) - 1;
  }

  /// Places all buffers at multiples of `alignment` and returns the size of the arena: the largest first,
  /// each at the lowest offset where it meets no buffer that lives at the same time.
  Index place(Index alignment) {
    std::vector<std::size_t> order(buffers_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return buffers_[a].size > buffers_[b].size; });
    std::vector<std::size_t> placed;  // by offset
    Index end = 0;
    for (const std::size_t i : order) {
      Buffer& buffer = buffers_[i];
      if (buffer.size == 0) continue;
      Index offset = 0;
      for (const std::size_t other : placed) {
        const Buffer& b = buffers_[other];
        if (b.first > buffer.last || buffer.first > b.last) continue;
        if (checked_add(offset, buffer.size) <= b.offset) break;
        offset = std::max(offset, round_up(b.offset + b.size, alignment));
      }
      buffer.offset = offset;
      end = std::max(end, round_up(checked_add(offset, buffer.size), alignment));
      placed.insert(
          std::upper_bound(placed.begin(), placed.end(), i,
                           [&](std::size_t a, std::size_t b) { return buffers_[a].offset < buffers_[b].offset; }),
          i);
    }
    return end;
  }

  Index offset(int id) const { return buffers_[static_cast<std::size_t>(id)].offset; }

 private:
  struct Buffer {
    Index size;
    int first, last;
    Index offset;
  };
  std::vector<Buffer> buffers_;
};

LINNET_NAMESPACE_END
