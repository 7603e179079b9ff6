// What the programs' command lines have in common.
#pragma once

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <functional>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include <nlohmann/json.hpp>

#include "html.hpp"
#include "run.hpp"

namespace cli {

/// A number from `least` to `most`.
inline CLI::Validator in_range(double least, double most) {
  const std::string range = report::compact(least) + " to " + report::compact(most);
  const auto check = [=](const std::string& text) -> std::string {
    char* end = nullptr;
    const double value = std::strtod(text.c_str(), &end);
    if (!text.empty() && *end == '\0' && value >= least && value <= most) return "";
    return "expected a number from " + range + ", got \"" + text + "\"";
  };
  return CLI::Validator(check, range);
}
/// A whole number in decimal digits, from `least` to `most`.
inline CLI::Validator whole_in_range(std::uint64_t least, std::uint64_t most) {
  const std::string range = std::to_string(least) + " to " + std::to_string(most);
  const auto check = [=](const std::string& text) -> std::string {
    std::uint64_t value = 0;
    const char* const last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data(), last, value);
    const bool octal = text.size() > 1 && text[0] == '0';  // as CLI11 would take it
    if (error == std::errc() && end == last && !octal && value >= least && value <= most) return "";
    return "expected a whole number from " + range + ", got \"" + text + "\"";
  };
  return CLI::Validator(check, range);
}
/// An option whose value is such a number.
template <class T>
CLI::Option* number(CLI::App* command, const std::string& name, T& value, const std::string& description, auto least,
                    auto most) {
  CLI::Option* const option = command->add_option(name, value, description)->type_name("NUMBER");
  if constexpr (std::is_integral_v<T>) {
    return option->check(whole_in_range(static_cast<std::uint64_t>(least), static_cast<std::uint64_t>(most)));
  } else {
    return option->check(in_range(least, most));
  }
}
/// An option whose value is a folder's path, which is not empty.
inline CLI::Option* folder(CLI::App* command, const std::string& name, std::string& value,
                           const std::string& description) {
  return command->add_option(name, value, description)
      ->type_name("FOLDER")
      ->check(CLI::Validator([](const std::string& path) { return path.empty() ? "expected a folder" : ""; }, ""));
}

/// A random seed: any whole number that is not negative.
inline void seed(CLI::App* command, std::uint64_t& value, const std::string& description) {
  number(command, "--seed", value, description, 0, std::numeric_limits<std::uint64_t>::max());
}

inline void threads(CLI::App* command, int& value) {
  number(command, "--threads", value, "Threads; 0 means all cores", 0, 4096);
}

inline void config(CLI::App* command, std::string& path) {
  command
      ->add_option("--config", path,
                   "Options from a JSON file, such as config.json of a run folder; those given here count more")
      ->type_name("FILE");
}

/// --resume and --overwrite, of which a run takes one.
inline void run_flags(CLI::App* command, bool& resume, bool& overwrite) {
  CLI::Option* const again = command->add_flag("--resume", resume, "Go on with the run in OUT, with the same options");
  command->add_flag("--overwrite", overwrite, "Replace the run in OUT: its models, pictures, figures and report")
      ->excludes(again);
}

/// The subcommand of that name; null if there is none.
inline const CLI::App* find_command(const CLI::App& app, const std::string& name) {
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (command->get_name() == name) return command;
  }
  return nullptr;
}

/// The arguments with those of `--config FILE.json` put in: an object whose keys are the long options of the
/// subcommand, as config.json of a run folder has them; those of other subcommands say nothing to it. What stands on
/// the command line counts more. Throws linnet::FormatError for a key that is no option, and for another program's run.
inline std::vector<std::string> with_config(const CLI::App& app, int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  std::string path;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i].rfind("--config=", 0) == 0) path = arguments[i].substr(9);
    if (arguments[i] == "--config" && i + 1 < arguments.size()) path = arguments[i + 1];
  }
  if (path.empty()) return arguments;
  const nlohmann::json config = run::Folder::read_json(path);
  if (!config.is_object()) throw linnet::FormatError(path + ": expected an object of options");
  if (config.contains("about") && config["about"].is_object()) {
    const nlohmann::json program = config["about"].value("program", nlohmann::json(app.get_name()));
    if (program != app.get_name()) {
      throw linnet::FormatError(path + ": expected a run of " + app.get_name() + ", got one of " + program.dump());
    }
  }
  const CLI::App* command = find_command(app, arguments[0]);
  const auto commands = app.get_subcommands([](const CLI::App*) { return true; });
  const auto is_given = [&](const std::string& option) {
    return std::any_of(arguments.begin(), arguments.end(),
                       [&](const std::string& a) { return a == option || a.rfind(option + "=", 0) == 0; });
  };
  std::vector<std::string> added;
  for (const auto& [key, value] : config.items()) {
    if (key == "about") continue;  // of a run: no option
    const std::string option = "--" + key;
    const auto has_option = [&](const CLI::App* c) { return c->get_option_no_throw(option) != nullptr; };
    if (command == nullptr || key == "config" || std::none_of(commands.begin(), commands.end(), has_option)) {
      throw linnet::FormatError(path + ": there is no option \"" + key + "\"");
    }
    if (!has_option(command)) continue;
    if (is_given(option) || value.is_null() || value == false) continue;
    const auto& excluded = command->get_option(option)->get_excludes();
    if (std::any_of(excluded.begin(), excluded.end(), [&](const CLI::Option* o) { return is_given(o->get_name()); })) {
      continue;
    }
    if (value == true && command->get_option(option)->get_expected_max() == 0) {
      added.push_back(option);
      continue;
    }
    std::string text;
    for (const auto& item : value.is_array() ? value : nlohmann::json::array({value})) {
      if (item.is_structured()) throw linnet::FormatError(path + ": \"" + key + "\" is no option's value");
      text += (text.empty() ? "" : ",") + (item.is_string() ? item.get<std::string>() : item.dump());
    }
    if (!text.empty()) added.push_back(option + "=" + text);
  }
  arguments.insert(arguments.begin() + 1, added.begin(), added.end());
  return arguments;
}

/// Parses and runs; one line for whatever is wrong. `go_on` says how to continue after Ctrl-C.
inline int main(CLI::App& app, int argc, char** argv, const std::function<void()>& body,
                const std::function<std::string()>& go_on) {
  const std::string name = app.get_name();
  if (argc == 1) {
    std::printf("%s", app.help().c_str());
    return 0;
  }
  std::string help = name + " --help";
  try {
    if (const CLI::App* command = find_command(app, argv[1])) {
      help = name + " " + command->get_name() + " --help";
    } else if (argv[1][0] != '-') {
      throw CLI::ParseError("there is no command \"" + std::string(argv[1]) + "\"", CLI::ExitCodes::InvalidError);
    }
    std::vector<std::string> arguments = with_config(app, argc, argv);
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 wants a vector
    app.parse(arguments);
    body();
  } catch (const run::Interrupted& stop) {
    std::fprintf(stderr, "%s: stopped; %s. To go on: %s\n", name.c_str(), stop.saved, go_on().c_str());
    return 130;
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    std::fprintf(stderr, "%s: %s (%s lists the options)\n", name.c_str(), error.what(), help.c_str());
    return 1;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", name.c_str(), error.what());
    return 1;
  }
  return 0;
}

}  // namespace cli
