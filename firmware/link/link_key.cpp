#include "firmware/link/link_key.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include <memory>

#include "firmware/files/files.h"

namespace tillsyn::link {
namespace {

constexpr std::size_t kMaxPem = 4096;

template <auto Free>
struct Deleter {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using Bio = std::unique_ptr<BIO, Deleter<BIO_free_all>>;

Error failed(const char* what) {
  ERR_clear_error();
  return {Code::kInternal, "link_key", std::string("OpenSSL: ") + what};
}

std::string text_of_bio(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

Key read_key(const std::string& pem) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  return Key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
}

std::string write_key(EVP_PKEY* key) {
  const Bio bio(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) return {};
  return text_of_bio(bio.get());
}

Result<ByteArray<ipc::kLinkKeyBytes>> point_of(EVP_PKEY* key) {
  std::array<char, 32> curve{};
  ByteArray<ipc::kLinkKeyBytes> point{};
  std::size_t size = 0;
  const bool is_p256 = EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
                       EVP_PKEY_get_group_name(key, curve.data(), curve.size(), nullptr) == 1 &&
                       std::string(curve.data()) == "prime256v1";
  if (!is_p256 ||
      EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size(), &size) != 1 ||
      size != point.size() || point[0] != 4) {
    ERR_clear_error();
    return malformed("link_key", "not a P-256 key");
  }
  return point;
}

// RFC 5280 §4.1.2.5: 99991231235959Z is "no well-defined expiration". The hub's clock may be anything when it is made.
Result<std::string> make_certificate(EVP_PKEY* key) {
  const Certificate certificate(X509_new());
  X509* x509 = certificate.get();
  std::uint32_t serial = 1;
  RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial);
  auto name_text = reinterpret_cast<const unsigned char*>("tillsyn-link");
  X509_NAME* name = X509_get_subject_name(x509);
  const bool made = X509_set_version(x509, X509_VERSION_3) == 1 &&
                    ASN1_INTEGER_set_uint64(X509_get_serialNumber(x509), serial) == 1 &&
                    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, name_text, -1, -1, 0) == 1 &&
                    X509_set_issuer_name(x509, name) == 1 &&
                    ASN1_TIME_set_string_X509(X509_getm_notBefore(x509), "20200101000000Z") == 1 &&
                    ASN1_TIME_set_string_X509(X509_getm_notAfter(x509), "99991231235959Z") == 1 &&
                    X509_set_pubkey(x509, key) == 1 && X509_sign(x509, key, EVP_sha256()) > 0;
  const Bio bio(BIO_new(BIO_s_mem()));
  if (!made || PEM_write_bio_X509(bio.get(), x509) != 1) return failed("certificate");
  return text_of_bio(bio.get());
}

Result<std::string> read_or_make(const std::string& path) {
  auto kept = files::read_private(path, kMaxPem);
  if (!kept) return Error{kept.error().code, "link_key", kept.error().message};
  if (*kept) return text_of(**kept);
  const Key made(EVP_EC_gen("P-256"));
  const std::string pem = made ? write_key(made.get()) : std::string();
  if (pem.empty()) return failed("key");
  if (const auto written = files::write_private(path, view_of(pem)); !written) {
    return Error{written.error().code, "link_key",
                 written.error().message + "; --state-dir names a folder that tillsyn-link may write to"};
  }
  return pem;
}

}  // namespace

Result<LinkKey> LinkKey::open(const std::string& directory) {
  const std::string path = directory + "/link.key";
  TILLSYN_TRY(pem, read_or_make(path));
  const Key key = read_key(pem);
  if (!key) return ERR_clear_error(), malformed("link_key", path + ": not a private key");
  TILLSYN_TRY(point, point_of(key.get()));
  TILLSYN_TRY(certificate, make_certificate(key.get()));
  LinkKey link_key;
  link_key.point_ = point;
  link_key.key_pem_ = pem;
  link_key.certificate_pem_ = certificate;
  return link_key;
}

}  // namespace tillsyn::link
