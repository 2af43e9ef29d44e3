#include "common/crypto/mbed.h"

#include <cstdio>
#include <cstdlib>

#include "common/crypto/random.h"

namespace tillsyn::crypto {

void require(int status) {
  if (status == 0) return;
  std::fprintf(stderr, "crypto: mbedTLS failed with -0x%04x\n", static_cast<unsigned>(-status));
  std::abort();
}

int fill_random(void*, unsigned char* out, std::size_t size) {
  random_bytes({out, size});
  return 0;
}

mbedtls_ecp_group* p256() {
  struct Loaded {
    EcGroup group;
    Loaded() { require(mbedtls_ecp_group_load(group.get(), MBEDTLS_ECP_DP_SECP256R1)); }
  };
  thread_local Loaded loaded;
  return loaded.group.get();
}

}  // namespace tillsyn::crypto
