#!/usr/bin/python3
"""Runs Swift's servers from a folder with their configuration.

swift-server.py DIR rings PORTS   make the rings; PORTS is JSON, part to port
swift-server.py DIR PART          serve: account, container, object or proxy
"""
# Patching after the large imports would take seconds.
import eventlet.patcher

eventlet.patcher.monkey_patch(all=False, socket=True, select=True, thread=True)

import json
import os
import sys

folder, part = sys.argv[1], sys.argv[2]
os.chdir(folder)

import swift.common.utils

swift.common.utils.SWIFT_CONF_FILE = os.path.join(folder, "swift.conf")


def make_rings(ports):
    from swift.common.ring import RingBuilder

    for name in ("account", "container", "object"):
        builder = RingBuilder(4, 1, 1)
        place = {"ip": "127.0.0.1", "port": ports[name]}
        place |= {"replication_ip": "127.0.0.1", "replication_port": ports[name]}
        builder.add_dev({"id": 0, "region": 1, "zone": 1, "weight": 1, "device": "d1", "meta": "", **place})
        builder.rebalance()
        builder.get_ring().save(name + ".ring.gz")


def serve(name):
    from swift.common.wsgi import run_wsgi
    import swift.obj.server

    more = {"global_conf_callback": swift.obj.server.global_conf_callback} if name == "object" else {}
    sys.exit(run_wsgi(f"{folder}/{name}.conf", name + "-server", verbose=True, **more))


if part == "rings":
    make_rings(json.loads(sys.argv[3]))
else:
    serve(part)
