/* SPDX-License-Identifier: ISC */
/* sign.c - what signing costs at the least: EVP_DigestSign and nothing else,
 * over the kilobyte that the header of a message is, once with each key. Prints
 * one line: the CPU time of that in microseconds.
 *
 *	sign seconds key.pem... */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static void
die(const char *what)
{
	fprintf(stderr, "sign: %s\n", what);
	exit(1);
}

static EVP_PKEY *
key_read(const char *path)
{
	FILE *file = fopen(path, "r");
	EVP_PKEY *key = NULL;

	if (file == NULL ||
	    (key = PEM_read_PrivateKey(file, NULL, NULL, NULL)) == NULL)
		die(path);
	fclose(file);
	return key;
}

static void
sign(EVP_PKEY *key)
{
	static const unsigned char header[1024];
	unsigned char signature[1024];
	size_t len = sizeof(signature);
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	int is_rsa = EVP_PKEY_base_id(key) == EVP_PKEY_RSA;

	/* Ed25519 signs a SHA-256 digest, RFC 8463 section 3 */
	if (context == NULL ||
	    EVP_DigestSignInit(context, NULL, is_rsa ? EVP_sha256() : NULL,
		NULL, key) != 1 ||
	    EVP_DigestSign(context, signature, &len, header,
		is_rsa ? sizeof(header) : 32) != 1)
		die("cannot sign");
	EVP_MD_CTX_free(context);
}

static double
cpu_secs(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int
main(int argc, char **argv)
{
	EVP_PKEY *keys[8];
	int i, count = argc - 2;
	unsigned long rounds;
	double begin, end;

	if (count < 1 || count > 8)
		return 2;
	for (i = 0; i < count; i++)
		keys[i] = key_read(argv[i + 2]);
	begin = cpu_secs();
	end = begin + atof(argv[1]);
	for (rounds = 0; cpu_secs() < end; rounds++)
		for (i = 0; i < count; i++)
			sign(keys[i]);
	printf("cpu_us=%.2f\n",
	    (cpu_secs() - begin) * 1e6 / (double)rounds);
	for (i = 0; i < count; i++)
		EVP_PKEY_free(keys[i]);
	return 0;
}
