// The one place that knows about threads. With OpenMP the pieces of a loop are shared out among its
// threads; without it the same code runs them one after the other, with the same result.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <exception>
#include <limits>
#include <string>

#include "linnet/core/shape.hpp"

#ifdef _OPENMP
#include <omp.h>
#endif

LINNET_NAMESPACE_BEGIN

namespace detail {

#ifdef _OPENMP
/// Shares out the pieces of a loop. Each thread begins with a run of pieces of its own, the same in every loop of as
/// many pieces and threads, so that it meets again what is still in its core's cache; when it has none left it takes
/// those of others.
class Pieces {
 public:
  Pieces(Index pieces, int threads) : runs_(std::min(threads, kMostRuns)) {
    for (int i = 0; i < runs_; ++i) {
      run_[i].next = pieces * i / runs_;
      run_[i].last = pieces * (i + 1) / runs_;
    }
  }
  /// The next piece for this thread, or -1 if there are no more.
  Index take(int thread) {
    for (int i = 0; i < runs_; ++i) {
      Run& run = run_[(thread + i) % runs_];
      if (run.next.load(std::memory_order_relaxed) >= run.last) continue;
      const Index piece = run.next.fetch_add(1, std::memory_order_relaxed);
      if (piece < run.last) return piece;
    }
    return -1;
  }

 private:
  static constexpr int kMostRuns = 64;
  struct alignas(64) Run {  // a line of its own: the threads' counters do not disturb each other
    std::atomic<Index> next;
    Index last;
  };
  int runs_;
  Run run_[kMostRuns];
};
#endif

inline std::atomic<int>& requested_threads() {
  static std::atomic<int> threads{0};
  return threads;
}
}  // namespace detail

/// How many threads the library uses from now on; 0 means what OpenMP chooses (OMP_NUM_THREADS, or
/// the machine's cores). The results do not depend on it, not in a single bit.
inline void set_num_threads(int threads) {
  if (threads < 0) {
    throw ValueError("set_num_threads: expected a count >= 0, got " + std::to_string(threads));
  }
  detail::requested_threads() = threads;
}

/// The threads that a parallel loop started here may use: 1 inside another parallel region.
inline int num_threads() {
#ifdef _OPENMP
  if (omp_in_parallel()) return 1;
  const int requested = detail::requested_threads();
  return requested > 0 ? requested : omp_get_max_threads();
#else
  return 1;
#endif
}

/// Calls body(piece, thread) for every piece in [0, pieces), each once; thread >= 0 is below both most_threads and
/// num_threads(). The pieces must be independent. When bodies throw, pieces that have not begun are left out, and one
/// of the exceptions (of those thrown, that of the lowest piece) is rethrown here, after all threads have stopped:
/// none may leave an OpenMP region.
template <class Body>
void parallel_for(Index pieces, int most_threads, const Body& body) {
#ifdef _OPENMP
  const Index available = std::min(num_threads(), most_threads);
  const int threads = static_cast<int>(available < pieces ? available : pieces);
  if (threads > 1) {
    std::exception_ptr error;
    Index error_piece = pieces;
    std::atomic<bool> failed{false};
    detail::Pieces shared(pieces, threads);
#pragma omp parallel num_threads(threads)
    while (!failed.load(std::memory_order_relaxed)) {
      const int thread = omp_get_thread_num();
      const Index piece = shared.take(thread);
      if (piece < 0) break;
      try {
        body(piece, thread);
      } catch (...) {
        failed = true;
#pragma omp critical(linnet_parallel_for)
        if (piece < error_piece) {
          error_piece = piece;
          error = std::current_exception();
        }
      }
    }
    if (error) std::rethrow_exception(error);
    return;
  }
#endif
  static_cast<void>(most_threads);
  for (Index piece = 0; piece < pieces; ++piece) body(piece, 0);
}

/// The same with as many threads as there are: for bodies that keep nothing by thread.
template <class Body>
void parallel_for(Index pieces, const Body& body) {
  parallel_for(pieces, std::numeric_limits<int>::max(), body);
}

LINNET_NAMESPACE_END
