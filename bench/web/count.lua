-- count.lua - for wrk: how many answers there were of each status.
local threads = {}

function setup(thread)
    table.insert(threads, thread)
end

function init()
    counts = {}
end

function response(status)
    local key = tostring(status)
    counts[key] = (counts[key] or 0) + 1
end

function done()
    for _, thread in ipairs(threads) do
        for key, n in pairs(thread:get("counts")) do
            print("status", key, n)
        end
    end
end
