-- SPDX-License-Identifier: ISC
-- redis_reset.lua - the record of a tenant's resets: the generation of the last
-- one, of all limits, and of each limit by its tag. A generation is the time
-- of its reset, or one more than the last. The record lives longer than any
-- counter: 400 days, where the longest window is 366.

local now, tag = struct.unpack('<dd', ARGV[1])
if now == 0 then
	local time = redis.call('TIME')
	now = time[1] * 1000 + math.floor(time[2] / 1000)
end
local held = redis.call('GET', KEYS[1])
local resets = held and cmsgpack.unpack(held) or {}
local last = math.max(now, (resets.last or 0) + 1)

if tag == 0 then
	resets = { all = last }
else
	resets[tag] = last
end
resets.last = last
redis.call('SET', KEYS[1], cmsgpack.pack(resets), 'EX', 34560000)
return 1
