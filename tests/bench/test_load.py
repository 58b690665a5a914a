"""What the speed table is made of is read from wrk's report, and a report that tells of errors is refused."""

from __future__ import annotations

import pytest

from bench import load

REPORT = """Running 2s test @ http://127.0.0.1:8000/document/
  1 threads and 8 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     2.99ms    1.84ms  26.31ms   90.93%
    Req/Sec     2.68k   219.31     3.02k    66.67%
  Latency Distribution
     50%    2.67ms
     75%    3.21ms
     90%    4.31ms
     99%   11.53ms
  5322 requests in 2.00s, 16.31MB read
Requests/sec:   2656.03
Transfer/sec:      8.14MB
"""


def test_parse_reads_rate_and_percentiles() -> None:
    """The rate is in requests a second, percentiles are in seconds."""
    seen = load.parse(REPORT)
    assert (seen.requests, seen.rate) == (5322, 2656.03)
    assert (seen.p50, seen.p99) == (pytest.approx(0.00267), pytest.approx(0.01153))


@pytest.mark.parametrize(
    "line",
    ["  Non-2xx or 3xx responses: 12\n", "  Socket errors: connect 0, read 3, write 0, timeout 0\n"],
)
def test_parse_refuses_a_load_that_met_errors(line: str) -> None:
    """Refusals are answered faster than work is done: a figure with errors in it would flatter."""
    with pytest.raises(load.LoadError, match="errors"):
        load.parse(REPORT.replace("Requests/sec", line + "Requests/sec"))


def test_parse_refuses_a_report_without_requests() -> None:
    """A server that answers nothing has no rate."""
    with pytest.raises(load.LoadError):
        load.parse(REPORT.replace("5322 requests in", "0 requests in"))
