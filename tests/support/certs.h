/* tests/support/certs.h -- a CA, a server and clients, made for one test run. */
#ifndef SLUICE_TESTS_SUPPORT_CERTS_H
#define SLUICE_TESTS_SUPPORT_CERTS_H

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct certs {
    char      dir[64];
    EVP_PKEY *ca_key;
    X509     *ca;
    long      serial;
    char      ca_path[96];
};

#define CERTS_UNUSED __attribute__((unused))

CERTS_UNUSED static void
certs_write(const char *path, X509 *x, EVP_PKEY *key)
{
    FILE *f = fopen(path, "w");

    if (f == NULL)
        abort();
    if (x != NULL)
        PEM_write_X509(f, x);
    if (key != NULL)
        PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL, NULL);
    fclose(f);
}

CERTS_UNUSED static void
certs_extend(X509 *x, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX      ctx;
    X509_EXTENSION *e;

    X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
    e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    if (e == NULL || X509_add_ext(x, e, -1) != 1)
        abort();
    X509_EXTENSION_free(e);
}

/* `cn2` NULL, or a second CN; `days` from now to the end, negative: expired. */
CERTS_UNUSED static X509 *
certs_sign(struct certs *c, EVP_PKEY *key, const char *cn, const char *cn2, const char *usage, const char *san,
           int days)
{
    X509      *x    = X509_new();
    X509_NAME *name = X509_get_subject_name(x);

    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), ++c->serial);
    X509_gmtime_adj(X509_getm_notBefore(x), -86400L * 30);
    X509_gmtime_adj(X509_getm_notAfter(x), 86400L * days);
    X509_set_pubkey(x, key);
    if (cn != NULL)
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0);
    if (cn2 != NULL)
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)cn2, -1, -1, 0);
    X509 *issuer = c->ca != NULL ? c->ca : x;
    X509_set_issuer_name(x, X509_get_subject_name(issuer));
    certs_extend(x, issuer, NID_basic_constraints, c->ca == NULL ? "critical,CA:TRUE" : "critical,CA:FALSE");
    certs_extend(x, issuer, NID_subject_key_identifier, "hash");
    if (c->ca == NULL)
        certs_extend(x, issuer, NID_key_usage, "critical,keyCertSign,cRLSign");
    if (usage != NULL)
        certs_extend(x, issuer, NID_ext_key_usage, usage);
    if (san != NULL)
        certs_extend(x, issuer, NID_subject_alt_name, san);
    if (X509_sign(x, c->ca_key, EVP_sha256()) == 0)
        abort();
    return x;
}

/* Files dir/NAME.pem and dir/NAME.key. */
CERTS_UNUSED static void
certs_issue(struct certs *c, const char *file, const char *cn, const char *cn2, const char *usage,
            const char *san, int days)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509     *x   = certs_sign(c, key, cn, cn2, usage, san, days);
    char      path[128];

    snprintf(path, sizeof path, "%s/%s.pem", c->dir, file);
    certs_write(path, x, NULL);
    snprintf(path, sizeof path, "%s/%s.key", c->dir, file);
    certs_write(path, NULL, key);
    X509_free(x);
    EVP_PKEY_free(key);
}

CERTS_UNUSED static void
certs_open(struct certs *c)
{
    *c = (struct certs){ .dir = "/tmp/sluice-certs-XXXXXX" };
    if (mkdtemp(c->dir) == NULL)
        abort();
    c->ca_key = EVP_EC_gen("P-256");
    c->ca     = certs_sign(c, c->ca_key, "Test CA", NULL, NULL, NULL, 30);
    snprintf(c->ca_path, sizeof c->ca_path, "%s/ca.pem", c->dir);
    certs_write(c->ca_path, c->ca, NULL);
}

/* Which name in which file: "server", ".pem". */
CERTS_UNUSED static const char *
certs_path(const struct certs *c, const char *file)
{
    static char paths[8][128];
    static int  next;
    char       *path = paths[next++ % 8];

    snprintf(path, 128, "%s/%s", c->dir, file);
    return path;
}

CERTS_UNUSED static void
certs_close(struct certs *c)
{
    char command[128];

    X509_free(c->ca);
    EVP_PKEY_free(c->ca_key);
    snprintf(command, sizeof command, "rm -rf %s", c->dir);
    if (system(command) != 0)
        fprintf(stderr, "%s stays\n", c->dir);
}

#endif
