-- SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
-- What uprobe_multi_collectd.lua publishes: change it. Each entry has
--
--     name          of the metrics: uprobe_multi-NAME
--     specs         as for um.resolve(); or one alone, first in the entry
--     pid_file      of the process; or pids, a list; none of both = every process
--     latency       true: percentiles too
--     percentiles   {50, 99}
--     most          functions that are too many: 200
--     children, strict, backend     as for um.count()
return {
  {name = "malloc", specs = {"libc.so.6:malloc", "libc.so.6:free"}, pid_file = "/run/sshd.pid"},
  {name = "queries", specs = {"/usr/lib/postgresql/15/bin/postgres:exec_simple_query"}, latency = true},
}
