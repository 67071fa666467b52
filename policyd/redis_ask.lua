-- SPDX-License-Identifier: ISC
-- redis_ask.lua - one question, decided and charged as counters_memory.c,
-- window.c and memory_grey.c do, and they say why. A script is atomic; its
-- first write is the one that Redis may refuse, and then there is none.
-- redis_script.h says what comes in and goes out.
--
-- Lua's numbers are doubles: exact to 2^53. A millisecond times 16 is far
-- below, and what is counted stops there. A counter is these, 8 bytes each:
-- its newest slot, its generation, the units of all 17 slots, those of the
-- newest slot, and of as many of the 16 before it as it has lived. All but
-- the third and fourth stay what they are while the slot is the same: then
-- only these are written. That is most of the time, and each call of Redis
-- is dear.
--
-- Each key lives a minute longer than it means anything, as the clock of a
-- new master may be behind; a counter up to 3 slots more: where it is to end
-- is told to Redis at every fourth slot only.

local get, put, call, floor = struct.unpack, struct.pack, redis.call, math.floor
local most, minute = 9007199254740992, 60000

local now, peek, count, at = get('<ddd', ARGV[1])
if now == 0 then
	local time = call('TIME')
	now = time[1] * 1000 + floor(time[2] / 1000)
end
local held = call('MGET', unpack(KEYS))

-- The greylist record: until when it is kept, when it was made, 1 if it has
-- passed. A promotion: until when it is kept, and its passes.
if ARGV[2] then
	local delay, window, pass, promote = get('<dddd', ARGV[2])
	local record, promotion = count + 2, count + 3
	local ends, passes = 0, 0
	if held[promotion] then
		ends, passes = get('<dd', held[promotion])
	end
	if ends <= now then
		passes = 0
	end
	local function keep(i, lives, ...)
		if peek == 0 then
			call('SET', KEYS[i], put('<ddd', now + lives, ...),
			    'PX', lives + minute)
		end
	end
	if promote > 0 and passes >= promote then
		keep(promotion, pass, passes, 0)
	else
		local lasts, first, passed = 0, 0, 0
		if held[record] then
			lasts, first, passed = get('<ddd', held[record])
		end
		if lasts <= now or first > now + window then
			keep(record, window, now, 0)
			return { 0, 0, 1, delay }
		end
		if passed == 0 and now < first + delay then
			return { 0, 0, 2, first + delay - now }
		end
		keep(record, pass, first, 1)
		if passed == 0 and promote > 0 then
			keep(promotion, pass, passes + 1, 0)
		end
	end
end

-- Decide all limits, and put what is to be written in place of what was read.
-- A reset forgets by a generation that what it is to forget is older than:
-- whoever reads a counter sees it, no key is searched for.
local resets = held[1] and cmsgpack.unpack(held[1])
local answer, refused, lives = nil, peek == 1, {}
for i = 1, count do
	local window, room, cost, refuses, tag
	window, room, cost, refuses, tag, at = get('<ddddd', ARGV[1], at)
	local bytes, passed = held[i + 1], 17	-- slots since its newest
	local newest, made, sum, units, older
	if bytes then
		newest, made, sum, units = get('<dddd', bytes)
		passed = floor((now * 16 - newest * window) / window)
		if passed < -16 and peek == 0 then
			call('DEL', KEYS[i + 1])	-- not only passed over
		end
		if passed < -16 or resets and (made < (resets.all or 0) or
		    made < (resets[tag] or 0)) then
			passed = 17
		end
	end
	if passed > 16 then
		newest, sum, units, older = floor(now * 16 / window), 0, 0, ''
		made = resets and resets.last or 0
		lives[i] = true
	elseif passed > 0 then
		for left = 161 - 8 * passed, #bytes, 8 do
			sum = sum - get('<d', bytes, left)
		end
		older = ('\0'):rep(8 * passed - 8) .. put('<d', units) ..
		    bytes:sub(33, 160 - 8 * passed)
		lives[i] = newest % 4 + passed > 3
		newest, units = newest + passed, 0
	end

	if sum > room or peek == 1 then
		local wait = sum > room and 0 or -1
		if sum > room and room >= 0 then
			local left, slot, total = 33, newest + 17, units
			local all = older and ('\0'):rep(32) .. older or bytes
			while total <= room do
				total = total + get('<d', all, left)
				left, slot = left + 8, slot - 1
			end
			wait = math.ceil(slot * window / 16) - now
		end
		answer = answer or { 1 }
		local n = #answer
		answer[n + 1], answer[n + 2], answer[n + 3] = i, sum, wait
		refused = refused or sum > room and refuses == 1
	end

	if cost == 0 then
		held[i + 1] = nil
	else
		if cost > most - sum then
			cost = most - sum
		end
		bytes = put('<dd', sum + cost, units + cost)
		if older then
			bytes = put('<dd', newest, made) .. bytes .. older
			lives[i] = lives[i] and minute - now +
			    math.ceil((newest - newest % 4 + 20) * window / 16)
		end
		held[i + 1] = bytes
	end
end
if refused then
	answer[1] = 0
	return answer
end

-- Charge all
for i = 1, count do
	local bytes = held[i + 1]
	if bytes and lives[i] then
		call('SET', KEYS[i + 1], bytes, 'PX',
		    string.format('%d', lives[i]))
	elseif bytes then
		call('SETRANGE', KEYS[i + 1], #bytes == 16 and '16' or '0',
		    bytes)
	end
end
return answer or 1
