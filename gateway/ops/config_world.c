/* gateway/ops/config_world.c -- what only the outside world can say of a configuration.
 *
 * Looks and changes nothing: no file is made, no port stays taken.
 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/inspect/inspector.h"
#include "gateway/ops/account.h"
#include "gateway/ops/config.h"

enum { HELPER_ARENA_BYTES = 1 << 16 };

struct checker {
    const struct config  *config;
    struct config_errors *errors;
};

static void check_listener_files(struct checker *);
static void check_recipients(struct checker *);
static void check_outgoing(struct checker *, const char *who, struct span ca, struct span certificate, struct span key);
static void check_ledger(struct checker *);
static void check_anchor(struct checker *);
static void check_store(struct checker *);
static void check_port(struct checker *, const char *section, struct span address, uint16_t port);

void
config_check_world(const struct config *config, bool running, struct config_errors *errors)
{
    struct checker c = { config, errors };
    check_listener_files(&c);
    check_recipients(&c);
    check_outgoing(&c, "terminology", config->terminology.ca, config->terminology.certificate, config->terminology.key);
    for (size_t i = 0; i < config->client_count; i++)
        if (!span_empty(config->clients[i].jwks) && access(config->clients[i].jwks.at, R_OK) != 0)
            config_error(errors, "client \"%.*s\": `jwks` %s: %s", SPAN_PRINT(config->clients[i].title),
                         config->clients[i].jwks.at, strerror(errno));
    for (size_t i = 0; i < config->reviewer_count; i++) {
        uid_t uid;
        if (!account_uid(config->reviewers[i].account, &uid))
            config_error(errors, "reviewer \"%.*s\": `account` %.*s is no account of this machine",
                         SPAN_PRINT(config->reviewers[i].title), SPAN_PRINT(config->reviewers[i].account));
    }
    gid_t gid;
    if (!span_empty(config->admin.socket_group) && !account_group(config->admin.socket_group, &gid))
        config_error(errors, "admin: `socket-group` %.*s is no group of this machine", SPAN_PRINT(config->admin.socket_group));
    check_ledger(&c);
    check_anchor(&c);
    check_store(&c);
    struct stat info;
    struct span dir = config->packages.dir;
    if (!span_empty(dir) && (stat(dir.at, &info) != 0 || !S_ISDIR(info.st_mode)))
        config_error(errors, "packages: `dir` %s is not a folder that can be read", dir.at);
    if (running)
        return;
    check_port(&c, "listen", config->listen.address, config->listen.port);
    check_port(&c, "admin", config->admin.address, config->admin.port);
}

void
config_check_helper(const struct config *config, struct config_errors *errors)
{
    struct arena *arena = arena_new("helper", HELPER_ARENA_BYTES);
    struct buf    why;

    buf_init(&why, HELPER_ARENA_BYTES);
    if (arena == NULL)
        config_error(errors, "inspect: no memory");
    else {
        struct inspector_options options = inspector_configured(config, arena);
        if (!inspector_works(&options, &why))
            config_error(errors, "inspect: documents cannot be read: %.*s", SPAN_PRINT(buf_span(&why)));
    }
    buf_release(&why);
    arena_free(&arena);
}

/* ---- certificates and keys ------------------------------------------------ */

/* Nobody is there to type a passphrase. */
static int
no_passphrase(char *text, int size, int writing, void *arg)
{
    (void)text, (void)size, (void)writing, (void)arg;
    return -1;
}

static FILE *
open_pem(struct checker *c, const char *what, struct span path)
{
    FILE *in = fopen(path.at, "re");
    if (in == NULL)
        config_error(c->errors, "%s %s: %s", what, path.at, strerror(errno));
    return in;
}

/* The first certificate of the file, in its time; NULL with an error. */
static X509 *
read_certificate(struct checker *c, const char *what, struct span path)
{
    FILE *in = open_pem(c, what, path);
    if (in == NULL)
        return NULL;
    X509 *certificate = PEM_read_X509(in, NULL, no_passphrase, NULL);
    fclose(in);
    if (certificate == NULL) {
        config_error(c->errors, "%s %s: holds no certificate in PEM form", what, path.at);
    } else if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0) {
        config_error(c->errors, "%s %s: the certificate has expired", what, path.at);
    } else if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0) {
        config_error(c->errors, "%s %s: the certificate is not valid yet", what, path.at);
    }
    ERR_clear_error();
    return certificate;
}

static EVP_PKEY *
read_key(struct checker *c, const char *what, struct span path)
{
    FILE *in = open_pem(c, what, path);
    if (in == NULL)
        return NULL;
    EVP_PKEY *key = PEM_read_PrivateKey(in, NULL, no_passphrase, NULL);
    fclose(in);
    if (key == NULL)
        config_error(c->errors, "%s %s: holds no private key in PEM form that opens without a passphrase", what, path.at);
    ERR_clear_error();
    return key;
}

static void
check_pair(struct checker *c, const char *who, struct span certificate_path, struct span key_path)
{
    char what[512];
    snprintf(what, sizeof what, "%s: `certificate`", who);
    X509 *certificate = read_certificate(c, what, certificate_path);
    snprintf(what, sizeof what, "%s: `key`", who);
    EVP_PKEY *key = read_key(c, what, key_path);
    if (certificate != NULL && key != NULL && X509_check_private_key(certificate, key) != 1)
        config_error(c->errors, "%s: `key` %s is not the key of `certificate` %s", who, key_path.at, certificate_path.at);
    ERR_clear_error();
    EVP_PKEY_free(key);
    X509_free(certificate);
}

static void
check_listener_files(struct checker *c)
{
    check_pair(c, "listen", c->config->listen.certificate, c->config->listen.key);
    if (!span_empty(c->config->listen.client_ca))
        X509_free(read_certificate(c, "listen: `client-ca`", c->config->listen.client_ca));
}

static void
check_recipients(struct checker *c)
{
    for (size_t i = 0; i < c->config->recipient_count; i++) {
        const struct config_recipient *r = &c->config->recipients[i];
        char                           who[256];
        snprintf(who, sizeof who, "recipient \"%.*s\"", SPAN_PRINT(r->title));
        check_outgoing(c, who, r->ca, r->certificate, r->key);
    }
}

/* Files for calls that the gateway makes. */
static void
check_outgoing(struct checker *c, const char *who, struct span ca, struct span certificate, struct span key)
{
    char what[288];
    snprintf(what, sizeof what, "%s: `ca`", who);
    if (!span_empty(ca))
        X509_free(read_certificate(c, what, ca));
    if (!span_empty(certificate))
        check_pair(c, who, certificate, key);
}

/* PKCS#8 and Ed25519, as the interface says: an older or a larger kind of key
 * would sign checkpoints that no C2SP verifier reads. */
static void
check_ledger(struct checker *c)
{
    struct span path = c->config->ledger.key;
    FILE       *in   = open_pem(c, "ledger: `key`", path);
    if (in == NULL)
        return;
    char          *name = NULL, *header = NULL;
    unsigned char *bytes = NULL;
    long           length = 0;
    bool pkcs8 = PEM_read(in, &name, &header, &bytes, &length) == 1 && strcmp(name, "PRIVATE KEY") == 0;
    fclose(in);
    EVP_PKEY            *key = NULL;
    const unsigned char *at  = bytes;
    if (pkcs8)
        key = d2i_AutoPrivateKey(NULL, &at, length);
    if (key == NULL || EVP_PKEY_base_id(key) != EVP_PKEY_ED25519)
        config_error(c->errors, "ledger: `key` %s is not an Ed25519 private key in PKCS#8 PEM form "
                                "(openssl genpkey -algorithm ed25519 -out %s)", path.at, path.at);
    EVP_PKEY_free(key);
    OPENSSL_free(name);
    OPENSSL_free(header);
    if (bytes != NULL)
        OPENSSL_cleanse(bytes, (size_t)length);
    OPENSSL_free(bytes);
    ERR_clear_error();
}

/* Beside the database it would be put back with it. */
static void
check_anchor(struct checker *c)
{
    struct span dir = c->config->ledger.anchor, path = c->config->store.path;
    char        beside[4096];
    struct stat one, other;

    if (span_empty(dir))
        return;
    snprintf(beside, sizeof beside, "%.*s/.", (int)span_find_last_byte(path, '/'), path.at);
    if (stat(dir.at, &one) != 0 || !S_ISDIR(one.st_mode) || access(dir.at, W_OK | X_OK) != 0)
        config_error(c->errors, "ledger: `anchor` %s: %s", dir.at, S_ISDIR(one.st_mode) ? strerror(errno) : "is no folder");
    else if (stat(beside, &other) == 0 && one.st_dev == other.st_dev && one.st_ino == other.st_ino)
        config_error(c->errors, "ledger: `anchor` %s is the folder of the store: whoever puts the database back to an older copy puts "
                                "the anchor back with it. Name a folder on another disk or machine", dir.at);
}

/* ---- store ----------------------------------------------------------------- */

static void
check_store(struct checker *c)
{
    struct span path = c->config->store.path;
    char        dir[4096];
    size_t      slash = span_find_last_byte(path, '/');
    snprintf(dir, sizeof dir, "%.*s", slash == 0 ? 1 : (int)slash, path.at);
    if (access(dir, W_OK | X_OK) != 0) {
        config_error(c->errors, "store: the folder of `path`, %s: %s", dir, strerror(errno));
        return;
    }
    if (access(path.at, F_OK) != 0)
        return;                                              /* it will be made */
    int fd = open(path.at, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        config_error(c->errors, "store: `path` %s: %s", path.at, strerror(errno));
        return;
    }
    /* https://sqlite.org/fileformat2.html 1.3; an empty file is a new database. */
    char    head[16];
    ssize_t got = pread(fd, head, sizeof head, 0);
    if (got != 0 && (got != (ssize_t)sizeof head || memcmp(head, "SQLite format 3", 16) != 0))
        config_error(c->errors, "store: `path` %s is not an SQLite database", path.at);
    close(fd);
}

/* ---- ports ------------------------------------------------------------------ */

/* Takes the port for a moment, without SO_REUSEPORT: whoever has it already,
 * another gateway too, is seen. */
static void
check_port(struct checker *c, const char *section, struct span address, uint16_t port)
{
    char             text[8], host[256];
    struct addrinfo  hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_PASSIVE };
    struct addrinfo *info  = NULL;

    snprintf(text, sizeof text, "%u", port);
    snprintf(host, sizeof host, "%.*s", SPAN_PRINT(address));
    if (getaddrinfo(host, text, &hints, &info) != 0) {
        config_error(c->errors, "%s: `address` %s is not an IP address", section, host);
        return;
    }
    int one = 1, fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0
        || bind(fd, info->ai_addr, info->ai_addrlen) != 0 || listen(fd, 1) != 0)
        config_error(c->errors, "%s: %s port %u: %s", section, host, port, strerror(errno));
    if (fd >= 0)
        close(fd);
    freeaddrinfo(info);
}
