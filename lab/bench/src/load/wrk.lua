-- Posts the body of BENCH_BODY on every connection, with BENCH_AUTHORIZATION if that is set, and prints one line of JSON.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = os.getenv("BENCH_AUTHORIZATION")
wrk.body = os.getenv("BENCH_BODY")

-- With BENCH_IDS each payment has an id: a random UUID, or a prefix and a number.
local ids, run, made = os.getenv("BENCH_IDS"), os.getenv("BENCH_RUN"), 0
local rest = '",' .. string.sub(wrk.body, 2)
if ids then
  math.randomseed(tonumber(string.sub(run, 1, 8), 16))
  local function uuid()
    local r = math.random
    return string.format("%08x-%04x-4%03x-a%03x-%06x%06x",
      r(0, 0x7fffffff), r(0, 0xffff), r(0, 0xfff), r(0, 0xfff), r(0, 0xffffff), r(0, 0xffffff))
  end
  local prefix = "order-" .. string.sub(run, 1, 8) .. "-"
  request = function()
    made = made + 1
    local id = ids == "uuid" and uuid() or prefix .. made
    return wrk.format(nil, nil, nil, '{"id":"' .. id .. rest)
  end
end

-- With BENCH_BATCH each request has so many payments, with new ids. A payment that is not accepted fails the run.
local batch = tonumber(os.getenv("BENCH_BATCH"))
refused = 0
if batch then
  wrk.headers["Content-Type"] = "application/x-ndjson"
  request = function()
    local lines = {}
    for line = 1, batch do
      made = made + 1
      lines[line] = '{"id":"' .. run .. "-" .. made .. rest
    end
    return wrk.format(nil, nil, nil, table.concat(lines, "\n"))
  end
  response = function(_, _, body)
    if string.find(body, '"code":', 1, true) then refused = refused + 1 end
  end
end

-- With BENCH_S2_BASIN the body is the record of an append to a stream of this basin.
local basin = os.getenv("BENCH_S2_BASIN")
if basin then
  wrk.headers["s2-basin"] = basin
  wrk.body = '{"records":[{"body":"' .. string.gsub(wrk.body, '"', '\\"') .. '"}]}'
end

local threads = {}
setup = function(thread) table.insert(threads, thread) end

done = function(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.timeout + errors.status
  for _, thread in ipairs(threads) do failed = failed + thread:get("refused") end
  local percentiles = {}
  for percent in string.gmatch(os.getenv("BENCH_PERCENTILES"), "[^,]+") do
    table.insert(percentiles, string.format("%.3f", (percent == "100" and latency.max or latency:percentile(tonumber(percent))) / 1000))
  end
  io.write(string.format('\n{"requests":%d,"seconds":%.6f,"failed":%d,"not_2xx":%d,"latency_ms":[%s]}\n',
    summary.requests, summary.duration / 1e6, failed, errors.status, table.concat(percentiles, ",")))
end
