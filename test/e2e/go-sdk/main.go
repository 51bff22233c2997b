// Command go-sdk is an MCP server and an MCP client on the Go SDK.
//
// "go-sdk server" serves over stdio: a tool, one that fails, a prompt and a resource. "go-sdk client URL KEY REQUESTS" sends
// requests, a list as JSON, to an endpoint, and prints the answers as JSON.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	"github.com/modelcontextprotocol/go-sdk/mcp"
)

type person struct {
	Name string `json:"name" jsonschema:"the person's name"`
}

func greet(_ context.Context, _ *mcp.CallToolRequest, args person) (*mcp.CallToolResult, any, error) {
	return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "Hello " + args.Name}}}, nil, nil
}

func fail(_ context.Context, _ *mcp.CallToolRequest, args person) (*mcp.CallToolResult, any, error) {
	return nil, nil, fmt.Errorf("no such person: %s", args.Name)
}

func welcome(_ context.Context, request *mcp.GetPromptRequest) (*mcp.GetPromptResult, error) {
	text := fmt.Sprintf("Welcome %s warmly.", request.Params.Arguments["name"])
	message := &mcp.PromptMessage{Role: "user", Content: &mcp.TextContent{Text: text}}
	return &mcp.GetPromptResult{Messages: []*mcp.PromptMessage{message}}, nil
}

func note(_ context.Context, request *mcp.ReadResourceRequest) (*mcp.ReadResourceResult, error) {
	contents := &mcp.ResourceContents{URI: request.Params.URI, MIMEType: "text/plain", Text: "hearth"}
	return &mcp.ReadResourceResult{Contents: []*mcp.ResourceContents{contents}}, nil
}

func serve() error {
	server := mcp.NewServer(&mcp.Implementation{Name: "go-sdk", Version: "1.0.0"}, nil)
	mcp.AddTool(server, &mcp.Tool{Name: "greet", Description: "Greets somebody."}, greet)
	mcp.AddTool(server, &mcp.Tool{Name: "fail", Description: "Fails with a message."}, fail)
	server.AddPrompt(&mcp.Prompt{Name: "welcome", Arguments: []*mcp.PromptArgument{{Name: "name", Required: true}}}, welcome)
	server.AddResource(&mcp.Resource{URI: "text://note", Name: "note", MIMEType: "text/plain"}, note)
	return server.Run(context.Background(), &mcp.StdioTransport{})
}

type request struct {
	Method string `json:"method"`
	Params struct {
		Name      string          `json:"name"`
		URI       string          `json:"uri"`
		Arguments json.RawMessage `json:"arguments"`
	} `json:"params"`
}

type answer struct {
	Result any            `json:"result,omitempty"`
	Error  *jsonrpc.Error `json:"error,omitempty"`
}

func send(ctx context.Context, session *mcp.ClientSession, request request) (any, error) {
	params := request.Params
	switch request.Method {
	case "tools/list":
		return session.ListTools(ctx, nil)
	case "tools/call":
		call := &mcp.CallToolParams{Name: params.Name}
		// A map that is nil is sent as null.
		var arguments map[string]any
		if params.Arguments != nil {
			if err := json.Unmarshal(params.Arguments, &arguments); err != nil {
				return nil, err
			}
		}
		call.Arguments = arguments
		return session.CallTool(ctx, call)
	case "prompts/list":
		return session.ListPrompts(ctx, nil)
	case "prompts/get":
		get := &mcp.GetPromptParams{Name: params.Name}
		if err := json.Unmarshal(params.Arguments, &get.Arguments); err != nil {
			return nil, err
		}
		return session.GetPrompt(ctx, get)
	case "resources/list":
		return session.ListResources(ctx, nil)
	case "resources/read":
		return session.ReadResource(ctx, &mcp.ReadResourceParams{URI: params.URI})
	}
	return nil, fmt.Errorf("unknown method: %s", request.Method)
}

type authorized struct{ key string }

func (a authorized) RoundTrip(request *http.Request) (*http.Response, error) {
	request = request.Clone(request.Context())
	request.Header.Set("Authorization", "Bearer "+a.key)
	return http.DefaultTransport.RoundTrip(request)
}

func call(url, key, text string) error {
	var requests []request
	if err := json.Unmarshal([]byte(text), &requests); err != nil {
		return err
	}
	ctx := context.Background()
	client := mcp.NewClient(&mcp.Implementation{Name: "go-client", Version: "1.0.0"}, nil)
	transport := &mcp.StreamableClientTransport{Endpoint: url, HTTPClient: &http.Client{Transport: authorized{key}}}
	session, err := client.Connect(ctx, transport, nil)
	if err != nil {
		return err
	}
	answers := []answer{}
	for _, request := range requests {
		result, err := send(ctx, session, request)
		var wire *jsonrpc.Error
		if err != nil && !errors.As(err, &wire) {
			return fmt.Errorf("%s: %w", request.Method, err)
		}
		if err != nil {
			answers = append(answers, answer{Error: wire})
		} else {
			answers = append(answers, answer{Result: result})
		}
	}
	version := session.InitializeResult().ProtocolVersion
	if err := session.Close(); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"protocolVersion": version, "answers": answers})
}

func main() {
	var err error
	switch {
	case len(os.Args) == 2 && os.Args[1] == "server":
		err = serve()
	case len(os.Args) == 5 && os.Args[1] == "client":
		err = call(os.Args[2], os.Args[3], os.Args[4])
	default:
		err = errors.New("arguments: server, or client URL KEY REQUESTS")
	}
	if err != nil {
		log.Fatal(err)
	}
}
