/* SPDX-License-Identifier: ISC */
/* direction.h - which way a message travels, and whose policy it obeys. */
#ifndef POLICYD_DIRECTION_H
#define POLICYD_DIRECTION_H

#include "policyd/facts.h"

/* DESIGN section 3's table. Pure. */
enum direction direction_of(bool is_trusted, bool has_owner,
    bool has_null_sender, bool recipient_is_ours);

/* Fills the second half of facts: direction, account, mailbox, chains */
void direction_find(struct facts *facts);

#endif
