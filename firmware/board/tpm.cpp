#include "firmware/board/tpm.h"

#include <tss2/tss2_rc.h>
#include <tss2/tss2_tctildr.h>

#include <algorithm>

namespace tillsyn::board {
namespace {

constexpr std::size_t kCoordinateBytes = 32;
constexpr ESYS_TR kNone = ESYS_TR_NONE;
constexpr ESYS_TR kNoPassword = ESYS_TR_PASSWORD;  // the empty one

Error failure(const char* what, TSS2_RC code) {
  return {Code::kIo, "key_store", std::string("TPM: ") + what + ": " + Tss2_RC_Decode(code)};
}

// What tpm2-tss gives to be freed.
template <typename T>
struct Given {
  Given() = default;
  ~Given() { Esys_Free(value); }
  Given(const Given&) = delete;
  Given& operator=(const Given&) = delete;
  T* operator->() const { return value; }
  T* value = nullptr;
};

TPM2B_PUBLIC ecc_template(TPMA_OBJECT attributes) {
  TPM2B_PUBLIC made{};
  made.publicArea.type = TPM2_ALG_ECC;
  made.publicArea.nameAlg = TPM2_ALG_SHA256;
  made.publicArea.objectAttributes =
      attributes | TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN |
      TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA;
  auto& detail = made.publicArea.parameters.eccDetail;
  detail.curveID = TPM2_ECC_NIST_P256;
  detail.symmetric.algorithm = TPM2_ALG_NULL;
  detail.scheme.scheme = TPM2_ALG_NULL;
  detail.kdf.scheme = TPM2_ALG_NULL;
  return made;
}

// What keys are made under: found anew from the TPM's own seed whenever it is wanted.
TPM2B_PUBLIC parent_template() {
  TPM2B_PUBLIC made = ecc_template(TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT);
  auto& symmetric = made.publicArea.parameters.eccDetail.symmetric;
  symmetric.algorithm = TPM2_ALG_AES;
  symmetric.keyBits.aes = 128;
  symmetric.mode.aes = TPM2_ALG_CFB;
  return made;
}

TPM2B_PUBLIC key_template() {
  TPM2B_PUBLIC made = ecc_template(TPMA_OBJECT_SIGN_ENCRYPT);
  auto& scheme = made.publicArea.parameters.eccDetail.scheme;
  scheme.scheme = TPM2_ALG_ECDSA;
  scheme.details.ecdsa.hashAlg = TPM2_ALG_SHA256;
  return made;
}

bool is_device_key(const TPMT_PUBLIC& key) {
  const TPMT_PUBLIC ours = key_template().publicArea;
  const auto& detail = key.parameters.eccDetail;
  return key.type == ours.type && key.objectAttributes == ours.objectAttributes &&
         detail.curveID == TPM2_ECC_NIST_P256 && detail.scheme.scheme == TPM2_ALG_ECDSA &&
         detail.scheme.details.ecdsa.hashAlg == TPM2_ALG_SHA256;
}

// A number as the TPM says it, without its leading zeros, perhaps.
bool put(const TPM2B_ECC_PARAMETER& number, std::uint8_t* to) {
  if (number.size > kCoordinateBytes) return false;
  std::copy_n(number.buffer, number.size, to + kCoordinateBytes - number.size);
  return true;
}

}  // namespace

Result<std::unique_ptr<Tpm>> Tpm::open(const std::string& tcti) {
  const auto absent = [&](TSS2_RC code) {
    return Error{Code::kUnavailable, "key_store", "no TPM at " + tcti + ": " + Tss2_RC_Decode(code)};
  };
  TSS2_TCTI_CONTEXT* way = nullptr;
  if (const TSS2_RC code = Tss2_TctiLdr_Initialize(tcti.c_str(), &way); code != TSS2_RC_SUCCESS) return absent(code);
  ESYS_CONTEXT* esys = nullptr;
  if (const TSS2_RC code = Esys_Initialize(&esys, way, nullptr); code != TSS2_RC_SUCCESS) {
    Tss2_TctiLdr_Finalize(&way);
    return absent(code);
  }
  return std::unique_ptr<Tpm>(new Tpm(way, esys));
}

Tpm::~Tpm() {
  Esys_Finalize(&esys_);
  Tss2_TctiLdr_Finalize(&tcti_);
}

Result<std::optional<ESYS_TR>> Tpm::find(std::uint32_t handle) {
  TPMI_YES_NO more = TPM2_NO;
  Given<TPMS_CAPABILITY_DATA> found;
  TSS2_RC code =
      Esys_GetCapability(esys_, kNone, kNone, kNone, TPM2_CAP_HANDLES, handle, 1, &more, &found.value);
  if (code != TSS2_RC_SUCCESS) return failure("which keys it holds", code);
  const auto& handles = found->data.handles;
  if (handles.count == 0 || handles.handle[0] != handle) return std::optional<ESYS_TR>();
  ESYS_TR object = kNone;
  code = Esys_TR_FromTPMPublic(esys_, handle, kNone, kNone, kNone, &object);
  if (code != TSS2_RC_SUCCESS) return failure("find the key", code);
  return std::optional(object);
}

Result<crypto::P256PublicKey> Tpm::device_key(ESYS_TR object) {
  Given<TPM2B_PUBLIC> key;
  const TSS2_RC code = Esys_ReadPublic(esys_, object, kNone, kNone, kNone, &key.value, nullptr, nullptr);
  if (code != TSS2_RC_SUCCESS) return failure("read the key's public half", code);
  const auto& area = key->publicArea;
  ByteArray<crypto::kP256PointBytes> point{0x04};
  if (!is_device_key(area) || !put(area.unique.ecc.x, point.data() + 1) ||
      !put(area.unique.ecc.y, point.data() + 1 + kCoordinateBytes))
    return malformed("key_store", "the TPM holds another kind of key where the device key belongs");
  return crypto::P256PublicKey::from_point(point);
}

Result<ESYS_TR> Tpm::make_parent() {
  const TPM2B_SENSITIVE_CREATE nothing{};
  const TPM2B_PUBLIC wanted = parent_template();
  const TPM2B_DATA outside{};
  const TPML_PCR_SELECTION registers{};
  ESYS_TR parent = kNone;
  const TSS2_RC code = Esys_CreatePrimary(esys_, ESYS_TR_RH_OWNER, kNoPassword, kNone, kNone, &nothing, &wanted,
                                          &outside, &registers, &parent, nullptr, nullptr, nullptr, nullptr);
  if (code != TSS2_RC_SUCCESS) return failure("make the parent key", code);
  return parent;
}

Result<ESYS_TR> Tpm::make_under(ESYS_TR parent) {
  const TPM2B_SENSITIVE_CREATE nothing{};
  const TPM2B_PUBLIC wanted = key_template();
  const TPM2B_DATA outside{};
  const TPML_PCR_SELECTION registers{};
  Given<TPM2B_PRIVATE> wrapped;
  Given<TPM2B_PUBLIC> open;
  TSS2_RC code = Esys_Create(esys_, parent, kNoPassword, kNone, kNone, &nothing, &wanted, &outside, &registers,
                             &wrapped.value, &open.value, nullptr, nullptr, nullptr);
  if (code != TSS2_RC_SUCCESS) return failure("make the device key", code);
  ESYS_TR key = kNone;
  code = Esys_Load(esys_, parent, kNoPassword, kNone, kNone, wrapped.value, open.value, &key);
  if (code != TSS2_RC_SUCCESS) return failure("load the device key", code);
  return key;
}

Result<ESYS_TR> Tpm::make_key(std::uint32_t handle) {
  TILLSYN_TRY(parent, make_parent());
  const auto key = make_under(parent);
  Esys_FlushContext(esys_, parent);
  if (!key) return key.error();
  ESYS_TR kept = kNone;
  const TSS2_RC code =
      Esys_EvictControl(esys_, ESYS_TR_RH_OWNER, *key, kNoPassword, kNone, kNone, handle, &kept);
  Esys_FlushContext(esys_, *key);
  if (code != TSS2_RC_SUCCESS) return failure("keep the device key", code);
  return kept;
}

Result<void> Tpm::remove(ESYS_TR object, std::uint32_t handle) {
  ESYS_TR nothing = kNone;
  const TSS2_RC code =
      Esys_EvictControl(esys_, ESYS_TR_RH_OWNER, object, kNoPassword, kNone, kNone, handle, &nothing);
  if (code != TSS2_RC_SUCCESS) return failure("destroy the device key", code);
  return {};
}

Result<ByteArray<crypto::kP256SignatureBytes>> Tpm::sign(ESYS_TR key, const ByteArray<32>& digest) {
  TPM2B_DIGEST hash{};
  hash.size = static_cast<UINT16>(digest.size());
  std::copy(digest.begin(), digest.end(), hash.buffer);
  TPMT_SIG_SCHEME scheme{};
  scheme.scheme = TPM2_ALG_NULL;  // the key's own
  TPMT_TK_HASHCHECK ticket{};     // none: the key is not restricted to what the TPM has hashed
  ticket.tag = TPM2_ST_HASHCHECK;
  ticket.hierarchy = TPM2_RH_NULL;
  Given<TPMT_SIGNATURE> signature;
  const TSS2_RC code =
      Esys_Sign(esys_, key, kNoPassword, kNone, kNone, &hash, &scheme, &ticket, &signature.value);
  if (code != TSS2_RC_SUCCESS) return failure("sign", code);
  const auto& numbers = signature->signature.ecdsa;
  ByteArray<crypto::kP256SignatureBytes> out{};
  if (signature->sigAlg != TPM2_ALG_ECDSA || !put(numbers.signatureR, out.data()) ||
      !put(numbers.signatureS, out.data() + kCoordinateBytes))
    return Error{Code::kIo, "key_store", "TPM: a signature of another kind"};
  return out;
}

}  // namespace tillsyn::board
