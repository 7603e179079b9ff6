// What tests of every area need.
#pragma once

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#if __has_include(<sys/mman.h>)
#include <sys/mman.h>
#include <unistd.h>
#endif

#include "linnet/core/error.hpp"
#include "linnet/simd/isa.hpp"

namespace linnet::test {

/// The message of the `Exception` that `function` throws; "(no error)" where it throws none.
template <class Exception = Error>
std::string error_of(const auto& function) {
  try {
    function();
  } catch (const Exception& error) {
    return error.what();
  }
  return "(no error)";
}

inline bool mentions(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

/// The instruction sets that this processor can run.
inline std::vector<Isa> supported_sets() {
  std::vector<Isa> sets;
  for (const Isa set : {Isa::baseline, Isa::avx2, Isa::avx512}) {
    if (supported(set)) sets.push_back(set);
  }
  return sets;
}

/// Gives the choice of the instruction set back at the end of a scope.
class IsaGuard {
 public:
  IsaGuard() = default;
  ~IsaGuard() { set_isa(before_); }
  IsaGuard(const IsaGuard&) = delete;
  IsaGuard& operator=(const IsaGuard&) = delete;

 private:
  Isa before_ = isa();
};

/// Runs `test(set)` with every instruction set that there is.
void for_each_isa(const auto& test) {
  const IsaGuard guard;
  for (const Isa set : supported_sets()) {
    set_isa(set);
    test(set);
  }
}

#if __has_include(<sys/mman.h>)
/// A copy of `values` with memory that nobody may touch behind it (or `before` it): whoever reads or writes there stops
/// the program. (Sanitizers do not see what a kernel does by masked instructions.)
template <class T, bool before = false>
class GuardedCopy {
 public:
  explicit GuardedCopy(const std::vector<T>& values) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::size_t bytes = values.size() * sizeof(T), usable = (bytes + page - 1) / page * page;
    size_ = usable + page;
    memory_ = mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory_ == MAP_FAILED) throw Error("GuardedCopy: no memory");
    std::byte* const begin = static_cast<std::byte*>(memory_);
    if (mprotect(before ? begin : begin + usable, page, PROT_NONE) != 0) throw Error("GuardedCopy: no protection");
    data_ = reinterpret_cast<T*>(before ? begin + page : begin + usable - bytes);
    std::copy(values.begin(), values.end(), data_);
  }
  ~GuardedCopy() { munmap(memory_, size_); }
  GuardedCopy(const GuardedCopy&) = delete;
  GuardedCopy& operator=(const GuardedCopy&) = delete;

  T* data() { return data_; }
  const T* data() const { return data_; }

 private:
  void* memory_ = nullptr;
  std::size_t size_ = 0;
  T* data_ = nullptr;
};
#endif

/// An empty folder, removed at the end.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(std::string name) : path_(std::move(name)) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace linnet::test
