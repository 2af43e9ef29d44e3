#pragma once

// Inside common/crypto only: mbedTLS handles that free themselves. Written for 2.28 and for 3.6.

#include <mbedtls/bignum.h>
#include <mbedtls/ecp.h>
#include <mbedtls/gcm.h>
#include <mbedtls/md.h>
#include <mbedtls/pk.h>

#include "common/base/bytes.h"

namespace tillsyn::crypto {

template <typename T, void (*Init)(T*), void (*Free)(T*)>
class Handle {
 public:
  Handle() { Init(&raw_); }
  ~Handle() { Free(&raw_); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  T* get() { return &raw_; }
  const T* get() const { return &raw_; }
  T* operator->() { return &raw_; }

 private:
  T raw_;
};

using Mpi = Handle<mbedtls_mpi, mbedtls_mpi_init, mbedtls_mpi_free>;
using EcPoint = Handle<mbedtls_ecp_point, mbedtls_ecp_point_init, mbedtls_ecp_point_free>;
using EcGroup = Handle<mbedtls_ecp_group, mbedtls_ecp_group_init, mbedtls_ecp_group_free>;
using Gcm = Handle<mbedtls_gcm_context, mbedtls_gcm_init, mbedtls_gcm_free>;
using Digest = Handle<mbedtls_md_context_t, mbedtls_md_init, mbedtls_md_free>;
using Pk = Handle<mbedtls_pk_context, mbedtls_pk_init, mbedtls_pk_free>;

// Ends the program unless `status` is 0: for calls that fail on our own mistakes or without memory only.
void require(int status);

// mbedTLS's generator callback, from random_bytes.
int fill_random(void* unused, unsigned char* out, std::size_t size);

// P-256, loaded once a thread: mbedTLS keeps a table in it that threads may not share.
mbedtls_ecp_group* p256();

}  // namespace tillsyn::crypto
