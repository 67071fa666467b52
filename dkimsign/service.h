/* SPDX-License-Identifier: ISC */
/* service.h - what every session shares; lives as long as the process. Any
 * thread. */
#ifndef DKIMSIGN_SERVICE_H
#define DKIMSIGN_SERVICE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/directory.h"
#include "dkimsign/canon.h"
#include "dkimsign/hop.h"
#include "dkimsign/signing.h"

struct service {
	struct directory *directory;
	struct signer *signer;
	struct hop *hop;
	const char *spool_dir;
	enum canon body_canon;
	int stop_fd;		/* eventfd: can be read once we stop */
	/* A reload changes these */
	_Atomic uint64_t max_message_bytes;
	atomic_bool defers_5xx;
};

#endif
