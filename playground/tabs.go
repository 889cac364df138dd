package playground

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
)

//go:embed tabs
var tabFiles embed.FS

// Tab is one of the documents the playground opens with. Each is a single named
// operation that answers from the seed data of the tenant demo.
type Tab struct {
	// Name is the file's name without order number and extension, such as
	// "customer-360". The page shows the name of the operation instead.
	Name      string
	Query     string
	Variables json.RawMessage // nil when the document takes none
}

// Tabs returns the tabs in the order in which the page shows them. An error
// means that the program was built from a damaged tabs folder.
func Tabs() ([]Tab, error) {
	documents, err := fs.Glob(tabFiles, "tabs/*.graphql")
	if err != nil {
		return nil, err
	}
	tabs := make([]Tab, 0, len(documents))
	for _, document := range documents {
		tab, err := readTab(document)
		if err != nil {
			return nil, err
		}
		tabs = append(tabs, tab)
	}
	return tabs, nil
}

func readTab(document string) (Tab, error) {
	query, err := tabFiles.ReadFile(document)
	if err != nil {
		return Tab{}, err
	}
	base := strings.TrimSuffix(document, ".graphql")
	_, name, _ := strings.Cut(path.Base(base), "-")
	tab := Tab{Name: name, Query: string(query)}

	variables, err := tabFiles.ReadFile(base + ".variables.json")
	if errors.Is(err, fs.ErrNotExist) {
		return tab, nil
	}
	if err != nil {
		return Tab{}, err
	}
	if !json.Valid(variables) {
		return Tab{}, fmt.Errorf("playground: the variables of tab %s are not JSON", name)
	}
	tab.Variables = variables
	return tab, nil
}
