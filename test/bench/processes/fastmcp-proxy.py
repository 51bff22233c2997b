"""A proxy of fastmcp before one stdio server. Arguments: its port, the command and the arguments of the server."""
import sys

from fastmcp import FastMCP

try:
    from fastmcp.server import create_proxy
except ImportError:
    create_proxy = FastMCP.as_proxy

port, command, *args = sys.argv[1:]
proxy = create_proxy({"mcpServers": {"everything": {"command": command, "args": args}}})
proxy.run(transport="http", host="127.0.0.1", port=int(port), show_banner=False, log_level="ERROR", uvicorn_config={"access_log": False})
