-- PATCHes documents with the ETag that their last answer gave: `wrk -s update.lua URL -- FILE TOKEN`, one line per
-- document: id <tab> etag <tab> body with a `@@` where each request writes another number. A document waits for its answer before
-- it is sent again, so no request meets a version that it has not seen.
local idle = {}
local bodies = {}
local token = nil
local written = 0

function init(args)
  for line in io.lines(args[1]) do
    local id, etag, body = line:match("^([^\t]+)\t([^\t]+)\t(.*)$")
    bodies[id] = body
    idle[#idle + 1] = { id = id, etag = etag }
  end
  token = args[2]
end

function request()
  local document = table.remove(idle, 1)
  written = written + 1
  local body = bodies[document.id]:gsub("@@", tostring(written) .. "-" .. os.time(), 1)
  local headers = {
    ["Authorization"] = "Bearer " .. token,
    ["Content-Type"] = "application/json",
    ["If-Match"] = document.etag,
  }
  return wrk.format("PATCH", "/api/v1/documents/" .. document.id .. "/", headers, body)
end

function response(status, headers, body)
  local id = body:match('"id":"([^"]+)"')
  if status == 200 and id then
    idle[#idle + 1] = { id = id, etag = headers["ETag"] }
  end
end
