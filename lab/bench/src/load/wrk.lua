-- Posts the body of BENCH_BODY on every connection, with BENCH_AUTHORIZATION if that is set, and prints one line of JSON.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = os.getenv("BENCH_AUTHORIZATION")
wrk.body = os.getenv("BENCH_BODY")

done = function(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.timeout + errors.status
  local percentiles = {}
  for percent in string.gmatch(os.getenv("BENCH_PERCENTILES"), "[^,]+") do
    table.insert(percentiles, string.format("%.3f", (percent == "100" and latency.max or latency:percentile(tonumber(percent))) / 1000))
  end
  io.write(string.format('\n{"requests":%d,"seconds":%.6f,"failed":%d,"not_2xx":%d,"latency_ms":[%s]}\n',
    summary.requests, summary.duration / 1e6, failed, errors.status, table.concat(percentiles, ",")))
end
