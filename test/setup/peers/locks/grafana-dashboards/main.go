// Reads dashboards as the types that Grafana generates from its own schema: strictly, so that a field that is missing,
// unknown or of another type is an error.
package main

import (
	"fmt"
	"os"

	"github.com/grafana/grafana-foundation-sdk/go/cog/plugins"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
)

func main() {
	plugins.RegisterDefaultPlugins()
	failed := false
	for _, path := range os.Args[1:] {
		panels, err := check(path)
		// A list of no errors is not nil.
		if err != nil && err.Error() != "" {
			failed = true
			fmt.Printf("%s: %v\n", path, err)
			continue
		}
		fmt.Printf("%s: %d panels\n", path, panels)
	}
	if failed {
		os.Exit(1)
	}
}

func check(path string) (int, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	read := dashboard.Dashboard{}
	if err := read.UnmarshalJSONStrict(raw); err != nil && err.Error() != "" {
		return 0, err
	}
	return len(read.Panels), read.Validate()
}
