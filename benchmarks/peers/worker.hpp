// What the workers written in C++ share: they read cases from standard input, a line each, and answer with a time.
//
//     conv HEIGHT KERNEL CHANNELS FILTERS BATCH forward|by_data|by_weights
//     train NETWORK BATCH
//     predict NETWORK BATCH
//
// Every line ends with the seconds to measure for. The answer is the median time of a call in seconds, or "-" for a
// case that the worker does not know. compare.py starts the workers and asks them by turns.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <iomanip>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace peers {

/// Runs a case once; empty for a case that the worker does not know.
using Call = std::function<void()>;

inline double median_time(const Call& call, double seconds) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> times;
  call();
  const Clock::time_point start = Clock::now();
  for (Clock::time_point before = start; times.size() < 3 || before - start < std::chrono::duration<double>(seconds);) {
    call();
    const Clock::time_point after = Clock::now();
    times.push_back(std::chrono::duration<double>(after - before).count());
    before = after;
  }
  const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
  std::nth_element(times.begin(), middle, times.end());
  return *middle;
}

/// Answers cases until the input ends. `prepare` makes the call of a case, once.
inline void serve(const std::function<Call(std::istringstream&)>& prepare) {
  std::map<std::string, Call> calls;
  for (std::string line; std::getline(std::cin, line);) {
    const std::size_t end = line.rfind(' ');
    const std::string name = line.substr(0, end);
    if (!calls.contains(name)) {
      std::istringstream words(name);
      calls[name] = prepare(words);
    }
    if (calls[name]) {
      std::cout << std::setprecision(9) << median_time(calls[name], std::stod(line.substr(end))) << std::endl;
    } else {
      std::cout << '-' << std::endl;
    }
  }
}

}  // namespace peers
