// The digests of libcrypto. Declared here and not by <openssl/evp.h>: that includes headers of the C library, and Swift
// would take what they declare for this module's.
#ifndef RENE_COPENSSL_H
#define RENE_COPENSSL_H

typedef struct evp_md_ctx_st EVP_MD_CTX;
typedef struct evp_md_st EVP_MD;
typedef struct engine_st ENGINE;

extern EVP_MD_CTX *EVP_MD_CTX_new(void);
extern void EVP_MD_CTX_free(EVP_MD_CTX *context);
extern const EVP_MD *EVP_sha256(void);
extern int EVP_DigestInit_ex(EVP_MD_CTX *context, const EVP_MD *type, ENGINE *engine);
extern int EVP_DigestUpdate(EVP_MD_CTX *context, const void *bytes, __SIZE_TYPE__ count);
extern int EVP_DigestFinal_ex(EVP_MD_CTX *context, unsigned char *digest, unsigned int *count);

#endif
