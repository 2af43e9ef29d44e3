#include "relay/http/tls_stream.h"

#include <netinet/tcp.h>
#include <openssl/err.h>

#include <limits>

namespace tillsyn::http {

namespace {

// Bytes the kernel may hold unsent: what is late is better dropped here than delivered late.
constexpr int kUnsentBytes = 16 * 1024;

void set_socket_options(Socket& socket) {
  error_code ignored;
  socket.non_blocking(true, ignored);
  socket.set_option(asio::ip::tcp::no_delay(true), ignored);
  socket.set_option(asio::detail::socket_option::integer<IPPROTO_TCP, TCP_NOTSENT_LOWAT>(kUnsentBytes), ignored);
}

}  // namespace

TlsStream::Core::Core(Socket taken, SSL_CTX& context)
    : socket(std::move(taken)), timer(socket.get_executor()), ssl(SSL_new(&context)) {
  set_socket_options(socket);
  if (ssl) SSL_set_fd(ssl.get(), socket.native_handle());
}

TlsStream::TlsStream(Socket socket, SSL_CTX& context) : core_(std::make_shared<Core>(std::move(socket), context)) {
  if (!core_->ssl) close();  // out of memory: every operation ends at once
}

void TlsStream::expires_after(std::chrono::milliseconds duration) {
  const unsigned mine = ++core_->deadline;
  core_->timer.expires_after(duration);
  core_->timer.async_wait([weak = std::weak_ptr(core_), mine](error_code error) {
    const auto core = weak.lock();
    if (error || !core || core->deadline != mine) return;
    error_code ignored;
    core->socket.close(ignored);
  });
}

void TlsStream::expires_never() {
  ++core_->deadline;
  core_->timer.cancel();
}

void TlsStream::close() {
  error_code ignored;
  core_->socket.close(ignored);
}

std::function<void()> TlsStream::closer() const {
  return [weak = std::weak_ptr(core_)] {
    error_code ignored;
    if (const auto core = weak.lock()) core->socket.close(ignored);
  };
}

TlsStream::Scratch& TlsStream::scratch() {
  thread_local Scratch buffer;
  return buffer;
}

TlsStream::Step TlsStream::step(Core& core, int outcome) {
  if (outcome > 0) return {Wait::kNone, {}, static_cast<std::size_t>(outcome)};
  const int why = SSL_get_error(core.ssl.get(), outcome);
  ERR_clear_error();
  if (why == SSL_ERROR_WANT_READ) return {Wait::kRead, {}, 0};
  if (why == SSL_ERROR_WANT_WRITE) return {Wait::kWrite, {}, 0};
  if (why == SSL_ERROR_ZERO_RETURN) return {Wait::kNone, asio::error::eof, 0};
  return {Wait::kNone, asio::error::connection_reset, 0};
}

TlsStream::Step TlsStream::read_step(Core& core, asio::mutable_buffer buffer) {
  if (buffer.size() == 0) return {};
  const auto size = std::min<std::size_t>(buffer.size(), std::numeric_limits<int>::max());
  return step(core, SSL_read(core.ssl.get(), buffer.data(), static_cast<int>(size)));
}

TlsStream::Step TlsStream::write_bytes(Core& core, const void* data, std::size_t size) {
  size = std::min<std::size_t>(size, std::numeric_limits<int>::max());
  return step(core, SSL_write(core.ssl.get(), data, static_cast<int>(size)));
}

void teardown(boost::beast::role_type, TlsStream& stream, error_code& error) {
  stream.close();
  error = {};
}

void beast_close_socket(TlsStream& stream) { stream.close(); }

}  // namespace tillsyn::http
