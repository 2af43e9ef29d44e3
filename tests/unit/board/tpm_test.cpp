#include <tss2/tss2_esys.h>
#include <tss2/tss2_tctildr.h>

#include "tests/unit/board/soft_tpm.h"

// The device key in a TPM.
using namespace tillsyn;
using namespace tillsyn::board;
using board_test::SoftTpm;

namespace {

// Another kind of key where the device key belongs: one that decrypts.
void put_another_key(const SoftTpm& soft) {
  TSS2_TCTI_CONTEXT* way = nullptr;
  ESYS_CONTEXT* esys = nullptr;
  REQUIRE(Tss2_TctiLdr_Initialize(soft.tcti().c_str(), &way) == TSS2_RC_SUCCESS);
  REQUIRE(Esys_Initialize(&esys, way, nullptr) == TSS2_RC_SUCCESS);
  TPM2B_PUBLIC wanted{};
  wanted.publicArea.type = TPM2_ALG_ECC;
  wanted.publicArea.nameAlg = TPM2_ALG_SHA256;
  wanted.publicArea.objectAttributes = TPMA_OBJECT_DECRYPT | TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_SENSITIVEDATAORIGIN;
  auto& detail = wanted.publicArea.parameters.eccDetail;
  detail.curveID = TPM2_ECC_NIST_P256;
  detail.symmetric.algorithm = detail.scheme.scheme = detail.kdf.scheme = TPM2_ALG_NULL;
  const TPM2B_SENSITIVE_CREATE nothing{};
  const TPM2B_DATA outside{};
  const TPML_PCR_SELECTION registers{};
  ESYS_TR key = ESYS_TR_NONE, kept = ESYS_TR_NONE;
  REQUIRE(Esys_CreatePrimary(esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &nothing, &wanted,
                             &outside, &registers, &key, nullptr, nullptr, nullptr, nullptr) == TSS2_RC_SUCCESS);
  REQUIRE(Esys_EvictControl(esys, ESYS_TR_RH_OWNER, key, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                            TpmKeyPlace::kHandle, &kept) == TSS2_RC_SUCCESS);
  Esys_Finalize(&esys);
  Tss2_TctiLdr_Finalize(&way);
}

}  // namespace

TEST_CASE("a device key in a TPM is made once, and outlives the power", "[board][tpm][INS-2]") {
  SoftTpm soft;
  CHECK_FALSE(*soft.place().has_key());
  const std::string hub = soft.place().open().value()->hub();
  CHECK(*soft.place().has_key());
  CHECK(soft.place().open().value()->hub() == hub);
  soft.stop();
  soft.start();
  CHECK(soft.place().open().value()->hub() == hub);
  const SoftTpm other;
  CHECK(other.place().open().value()->hub() != hub);
}

TEST_CASE("a TPM's key signs as one in a file does: a body of a named kind only", "[board][tpm]") {
  const SoftTpm soft;
  const auto keys = soft.place().open().value();
  const auto& key = keys->device_key();
  CHECK(keys->hub() == key.thumbprint_text());
  for (int i = 0; i < 300; ++i) {  // long enough for numbers with leading zeros
    const std::string body = "body " + std::to_string(i);
    const auto signature = keys->sign("event", view_of(body));
    REQUIRE(signature.ok());
    REQUIRE(key.verify(signed_bytes("event", view_of(body)), *signature));
    REQUIRE_FALSE(key.verify(signed_bytes("answer", view_of(body)), *signature));
  }
}

TEST_CASE("a key destroyed in a TPM is gone, and the next one is another", "[board][tpm][INS-6]") {
  const SoftTpm soft;
  CHECK(soft.place().destroy().ok());  // there is none
  std::string hub;
  SECTION("by who holds it") {
    const auto keys = soft.place().open().value();
    hub = keys->hub();
    REQUIRE(keys->destroy_key().ok());
    const auto unsigned_now = keys->sign("event", {});
    REQUIRE_FALSE(unsigned_now.ok());
    CHECK(unsigned_now.error().reason == "key_store");
  }
  SECTION("by its place") {
    hub = soft.place().open().value()->hub();
    REQUIRE(soft.place().destroy().ok());
  }
  CHECK_FALSE(*soft.place().has_key());
  CHECK(soft.place().open().value()->hub() != hub);
}

TEST_CASE("another kind of key where the device key belongs is refused and left alone", "[board][tpm]") {
  const SoftTpm soft;
  put_another_key(soft);
  const auto keys = soft.place().open();
  REQUIRE_FALSE(keys.ok());
  CHECK(keys.error().code == Code::kMalformed);
  CHECK(keys.error().reason == "key_store");
  CHECK(*soft.place().has_key());
}

TEST_CASE("a TPM that is not there, or goes away, is said and never replaced", "[board][tpm]") {
  CHECK(TpmKeyPlace("device:/dev/null/tpm").open().error().code == Code::kUnavailable);
  CHECK(TpmKeyPlace("no such way").open().error().code == Code::kUnavailable);
  CHECK(TpmKeyPlace("no such way").has_key().error().reason == "key_store");
  SoftTpm soft;
  const auto keys = soft.place().open().value();
  soft.stop();
  const auto signature = keys->sign("event", view_of("body"));
  REQUIRE_FALSE(signature.ok());
  CHECK(signature.error().code == Code::kIo);
  CHECK(signature.error().reason == "key_store");
  CHECK(soft.place().open().error().code == Code::kUnavailable);
  CHECK_FALSE(soft.place().destroy().ok());
}
