"""An MCP client on the Python SDK: sends requests to an endpoint, and prints the answers as JSON.

Arguments: the URL, the API key, the mode of the client ("legacy" or "auto"), and a list of requests as JSON.
"""

import asyncio
import json
import sys

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError


def sender(client, method, params):
    name = params.get("name")
    return {
        "tools/list": lambda: client.list_tools(),
        "tools/call": lambda: client.call_tool(name, params.get("arguments")),
        "prompts/list": lambda: client.list_prompts(),
        "prompts/get": lambda: client.get_prompt(name, params.get("arguments")),
        "resources/list": lambda: client.list_resources(),
        "resources/read": lambda: client.read_resource(params.get("uri")),
        "resources/templates/list": lambda: client.list_resource_templates(),
    }[method]


async def answer(client, request):
    try:
        result = await sender(client, request["method"], request.get("params", {}))()
        return {"result": result.model_dump(mode="json", by_alias=True, exclude_none=True)}
    except MCPError as error:
        return {"error": {"code": error.error.code, "message": error.error.message}}


async def main(url, key, mode, requests):
    headers = {"authorization": f"Bearer {key}"}
    async with httpx2.AsyncClient(headers=headers, timeout=120) as http_client:
        async with Client(streamable_http_client(url, http_client=http_client), mode=mode) as client:
            answers = [await answer(client, request) for request in requests]
            print(json.dumps({"protocolVersion": client.protocol_version, "answers": answers}))


url, key, mode, requests = sys.argv[1:]
asyncio.run(main(url, key, mode, json.loads(requests)))
