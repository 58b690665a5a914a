-- Requests a list of prepared requests in turn: `wrk -s read.lua URL -- FILE`, one JSON-free line per request:
-- METHOD <tab> path <tab> name: value <tab> name: value … ; a body, where there is one, as `=body` in the last field.
local prepared = {}
local turn = 0

local function prepare(line)
  local method, path, rest = line:match("^(%S+)\t([^\t]+)\t?(.*)$")
  local headers, body = {}, nil
  for field in rest:gmatch("[^\t]+") do
    if field:sub(1, 1) == "=" then
      body = field:sub(2)
    else
      local name, value = field:match("^([^:]+): (.*)$")
      headers[name] = value
    end
  end
  return wrk.format(method, path, headers, body)
end

function init(args)
  for line in io.lines(args[1]) do
    prepared[#prepared + 1] = prepare(line)
  end
end

function request()
  turn = turn % #prepared + 1
  return prepared[turn]
end
