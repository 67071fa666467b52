/* SPDX-License-Identifier: ISC */
/* dns_txt.h - one TXT record out of the DNS. Blocks, for some seconds at
 * most. */
#ifndef DKIMSIGN_DNS_TXT_H
#define DKIMSIGN_DNS_TXT_H

#include "dkimsign/inspect.h"

/* server: "192.0.2.1", "192.0.2.1:5353", "[2001:db8::1]:53"; NULL: as
 * resolv.conf(5) says. Of several records the first; its strings become one.
 * Else *why is static. */
enum record_answer dns_txt(struct arena *arena, const char *server,
    const char *name, const char **text, const char **why);

#endif
