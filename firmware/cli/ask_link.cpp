#include "firmware/cli/ask_link.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "firmware/ipc/address.h"

namespace tillsyn::cli {
namespace {

constexpr int kPatienceMs = 60000;
constexpr std::size_t kMaxAnswer = 256 * 1024;

Result<Json> read_answer(const std::string& text) {
  TILLSYN_TRY(answer, parse_json(text));
  if (!answer.is_object() || !answer.contains("ok")) return malformed("link_answer", "not an answer");
  if (answer["ok"] == true) return answer;
  JsonReader in(answer, "answer");
  const std::string reason = in.text("reason", 64);
  const std::string message = in.text("message", 1024);
  return refused(reason, message);
}

}  // namespace

Result<Json> ask_link(const std::string& socket_path, const Json& request) {
  const auto away = [&] {
    return Error{Code::kUnavailable, "link_away",
                 socket_path + ": " + std::strerror(errno) +
                     "; see whether tillsyn-link runs, and as whom (--control-socket names its socket)"};
  };
  TILLSYN_TRY(address, ipc::unix_address(socket_path));
  const UniqueFd socket(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0));
  if (connect(socket.get(), ipc::as_sockaddr(address), sizeof address) != 0) return away();
  const std::string text = request.dump();
  if (send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL) < 0) return away();
  pollfd ready{socket.get(), POLLIN, 0};
  std::string answer(kMaxAnswer, '\0');
  const ssize_t got = poll(&ready, 1, kPatienceMs) == 1 ? recv(socket.get(), answer.data(), answer.size(), 0) : -1;
  if (got <= 0) return Error{Code::kUnavailable, "link_silent", "tillsyn-link does not answer"};
  answer.resize(static_cast<std::size_t>(got));
  return read_answer(answer);
}

}  // namespace tillsyn::cli
