"""An MCP server on the Python SDK, over stdio: a tool, one that fails, a prompt and resources."""

from mcp.server.mcpserver import MCPServer

server = MCPServer("python-sdk")


@server.tool()
def greet(name: str) -> str:
    """Greets somebody."""
    return f"Hello {name}"


@server.tool()
def fail(name: str) -> str:
    """Fails with a message."""
    raise ValueError(f"no such person: {name}")


@server.prompt()
def welcome(name: str) -> str:
    """Asks to welcome somebody."""
    return f"Welcome {name} warmly."


@server.resource("text://note")
def note() -> str:
    """A note."""
    return "hearth"


@server.resource("text://notes/{name}")
def note_of(name: str) -> str:
    """The note of somebody."""
    return f"hearth of {name}"


server.run()
