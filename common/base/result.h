#pragma once

#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace tillsyn {

// What a caller can do about a failure. Written to logs and wires by name (see code_name); never renumbered.
enum class Code {
  kMalformed,    // the bytes are not what the format says; sending them again cannot help
  kRefused,      // well formed, but a rule says no; `reason` names the rule
  kWaiting,      // cannot be judged yet: something it stands on has not arrived
  kNotFound,     // no such thing
  kConflict,     // another came first
  kUnavailable,  // a resource or peer is not there now; trying later may help
  kIo,           // disk or device failed: stop acknowledging
  kInternal,     // our own mistake
};

const char* code_name(Code code);

// A failure: `code` for the program, `reason` a short machine word ("nonce_mismatch") that never changes meaning and is
// sent to peers, `message` a sentence for the log and the reader. Neither holds a secret or personal data.
struct Error {
  Code code = Code::kInternal;
  std::string reason;
  std::string message;

  // The same failure with the caller's context put before the message.
  [[nodiscard]] Error within(const std::string& context) const { return {code, reason, context + ": " + message}; }
};

// A value or the reason why there is none. Threads: as T.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  // Precondition: ok().
  T& value() & { return *there(std::get_if<0>(&state_)); }
  const T& value() const& { return *there(std::get_if<0>(&state_)); }
  T&& value() && { return std::move(*there(std::get_if<0>(&state_))); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }

  // Precondition: !ok().
  const Error& error() const { return *there(std::get_if<1>(&state_)); }

 private:
  template <typename P>
  static P* there(P* pointer) {
    if (pointer == nullptr) std::abort();
    return pointer;
  }

  std::variant<T, Error> state_;
};

// Success without a value, or the reason why not.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}

  bool ok() const { return !error_; }
  explicit operator bool() const { return ok(); }
  const Error& error() const {
    if (!error_) std::abort();
    return *error_;
  }

 private:
  std::optional<Error> error_;
};

inline Error malformed(std::string reason, std::string message) {
  return {Code::kMalformed, std::move(reason), std::move(message)};
}
inline Error refused(std::string reason, std::string message) {
  return {Code::kRefused, std::move(reason), std::move(message)};
}
inline Error waiting(std::string reason, std::string message) {
  return {Code::kWaiting, std::move(reason), std::move(message)};
}

}  // namespace tillsyn

// Evaluates `expression` (a Result), returns its error from the enclosing function, or binds its value to `name`.
#define TILLSYN_TRY(name, expression)                     \
  auto name##_result = (expression);                      \
  if (!name##_result.ok()) return name##_result.error();  \
  auto& name = *name##_result

// The same for a Result whose value is not wanted.
#define TILLSYN_CHECK(expression)                                        \
  do {                                                                   \
    if (auto check_result = (expression); !check_result.ok()) return check_result.error(); \
  } while (false)
