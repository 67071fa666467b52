/* SPDX-License-Identifier: ISC */
/* redis_script.c - the memory store's decisions once more, in Lua: window.c,
 * counters_memory.c and memory_grey.c say why. A script is atomic; its first
 * write is the one that Redis may refuse, and then there is none.
 *
 * Lua's numbers are doubles: exact to 2^53. A millisecond times 16 is far
 * below, and what is counted stops there. A counter is packed as its newest
 * slot, its generation, the sum of its 17 slots, these from the newest back:
 * while the slot is the same only the first four are read. A reset forgets by writing a generation
 * that what it is to forget is older than: whoever reads a counter sees it, no
 * key is searched for. Generations are the time of their reset, or one more.
 *
 * Each key lives a minute longer than it means anything: the clock of a new
 * master may be behind. */
#include "policyd/redis_script.h"

#define NOW \
	"local now = tonumber(ARGV[1])\n" \
	"if not now then\n" \
	"  local time = redis.call('TIME')\n" \
	"  now = time[1] * 1000 + math.floor(time[2] / 1000)\n" \
	"end\n"

const char redis_script_ask[] =
    NOW
    "local peek, count = ARGV[2] == '1', tonumber(ARGV[3])\n"
    "local most, minute = 9007199254740992, 60000\n"
    "local answer = { 0, 0, 0 }\n"

    /* the greylist record */
    "local at = 4 + 5 * count\n"
    "if ARGV[at] then\n"
    "  local delay, window = tonumber(ARGV[at]), tonumber(ARGV[at + 1])\n"
    "  local pass, promote = tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])\n"
    "  local names = { KEYS[count + 2], KEYS[count + 3] }\n"
    "  local function keep(i, lives, ...)\n"
    "    redis.call('SET', names[i], cmsgpack.pack(now + lives, ...),\n"
    "      'PX', lives + minute)\n"
    "  end\n"
    "  local raw = redis.call('MGET', names[1], names[2])\n"
    "  local ends, passes = 0, 0\n"
    "  if raw[2] then ends, passes = cmsgpack.unpack(raw[2]) end\n"
    "  if ends <= now then passes = 0 end\n"
    "  if promote > 0 and ends > now and passes >= promote then\n"
    "    if not peek then keep(2, pass, passes) end\n"
    "  else\n"
    "    local lasts, first, passed = 0, 0, 0\n"
    "    if raw[1] then lasts, first, passed = cmsgpack.unpack(raw[1]) end\n"
    "    if lasts <= now or first > now + window then\n"
    "      answer[2], answer[3] = 1, delay\n"
    "      if not peek then keep(1, window, now, 0) end\n"
    "    elseif passed == 0 and now < first + delay then\n"
    "      answer[2], answer[3] = 2, first + delay - now\n"
    "    elseif not peek then\n"
    "      keep(1, pass, first, 1)\n"
    "      if passed == 0 and promote > 0 then\n"
    "        keep(2, pass, passes + 1)\n"
    "      end\n"
    "    end\n"
    "  end\n"
    "  if answer[2] ~= 0 then return answer end\n"
    "end\n"

    /* decide all limits */
    "local raw = redis.call('MGET', unpack(KEYS, 1, count + 1))\n"
    "local resets = raw[1] and cmsgpack.unpack(raw[1]) or {}\n"
    "local refused, held, windows = false, {}, {}\n"
    "for i = 1, count do\n"
    "  local a = 5 * i - 1\n"
    "  local window, limit = tonumber(ARGV[a + 1]), tonumber(ARGV[a + 2])\n"
    "  local cost = tonumber(ARGV[a + 3])\n"
    "  local slot = math.floor(now * 16 / window)\n"
    "  local w = windows[KEYS[i + 1]]\n"
    "  local bytes = not w and raw[i + 1]\n"
    "  if bytes then\n"
    "    local rest, newest, made, sum, units =\n"
    "      cmsgpack.unpack_limit(bytes, 4)\n"
    "    if newest - slot > 16 then\n"	/* dropped, not only passed over */
    "      if not peek then redis.call('DEL', KEYS[i + 1]) end\n"
    "    elseif made >= (resets.all or 0) and\n"
    "        made >= (resets[ARGV[a]] or 0) and slot - newest < 17 then\n"
    "      w = { newest, made, sum, units, bytes:sub(rest + 1) }\n"
    "      if newest < slot then\n"
    "        local was = { units, cmsgpack.unpack(w[5]) }\n"
    "        local is = {}\n"
    "        sum = 0\n"
    "        for age = 1, 16 do\n"
    "          is[age] = was[age - (slot - newest) + 1] or 0\n"
    "          sum = sum + is[age]\n"
    "        end\n"
    "        w = { slot, made, sum, 0, cmsgpack.pack(unpack(is)) }\n"
    "      end\n"
    "    end\n"
    "  end\n"
    "  if not w then\n"
    "    w = { slot, resets.last or 0, 0, 0, string.rep('\\0', 16) }\n"
    "  end\n"
    "  windows[KEYS[i + 1]], held[i] = w, w\n"
    "  local used, wait = math.min(w[3], most), 0\n"
    "  local exceeded = used > limit - cost\n"
    "  if exceeded and cost <= limit then\n"
    "    local sum = 0\n"
    "    for age, units in ipairs({ w[4], cmsgpack.unpack(w[5]) }) do\n"
    "      sum = sum + units\n"
    "      if sum > limit - cost then\n"
    "        wait = math.floor(((w[1] - age + 18) * window + 15) / 16) - now\n"
    "        break\n"
    "      end\n"
    "    end\n"
    "  end\n"
    "  if exceeded and ARGV[a + 4] == '1' then refused = true end\n"
    "  answer[3 * i + 1], answer[3 * i + 2] = used, exceeded and 1 or 0\n"
    "  answer[3 * i + 3] = wait\n"
    "end\n"
    "if refused or peek then return answer end\n"

    /* charge all */
    "answer[1] = 1\n"
    "for i = 1, count do\n"
    "  local window = tonumber(ARGV[5 * i])\n"
    "  local cost, w = tonumber(ARGV[5 * i + 2]), held[i]\n"
    "  if cost > 0 then\n"
    "    w[3], w[4] = math.min(w[3] + cost, most), math.min(w[4] + cost, most)\n"
    "    redis.call('SET', KEYS[i + 1],\n"
    "      cmsgpack.pack(w[1], w[2], w[3], w[4]) .. w[5], 'PX',\n"
    "      math.floor(((w[1] + 17) * window + 15) / 16) - now + minute)\n"
    "  end\n"
    "end\n"
    "return answer\n";

/* The record of resets lives longer than any counter: 400 days, where the
 * longest window is 366 */
const char redis_script_reset[] =
    NOW
    "local raw = redis.call('GET', KEYS[1])\n"
    "local resets = raw and cmsgpack.unpack(raw) or {}\n"
    "local last = math.max(now, (resets.last or 0) + 1)\n"
    "if ARGV[2] == '0' then resets = { all = last }\n"
    "else resets[ARGV[2]] = last end\n"
    "resets.last = last\n"
    "redis.call('SET', KEYS[1], cmsgpack.pack(resets), 'EX', 34560000)\n"
    "return 1\n";
