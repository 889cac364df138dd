package main

import (
	_ "embed"
	"path/filepath"
	"slices"
	"strings"

	"github.com/99designs/gqlgen/codegen"
	"github.com/99designs/gqlgen/codegen/config"
	"github.com/99designs/gqlgen/codegen/templates"
)

// leanObjects is the plugin that writes how records are walked: all below the root fields but
// introspection.
type leanObjects struct{}

// Name implements plugin.Plugin.
func (leanObjects) Name() string { return "leanobjects" }

//go:embed objects.gotpl
var objectsTemplate string

// GenerateCode implements plugin.CodeGenerator. It runs before gqlgen writes its own code, and takes
// away from that what it writes itself: the functions that marshal objects, interfaces, unions and
// lists of them. These keep their names, so that all of gqlgen's code goes on calling them.
func (leanObjects) GenerateCode(data *codegen.Data) error {
	w := walk{Data: data}
	for _, object := range data.Objects {
		if object.Root || object.IsReserved() {
			continue
		}
		w.Objects = append(w.Objects, object)
		object.DisableConcurrency = true // gqlgen's own function is not used; this keeps it short
	}
	for name, abstract := range data.Interfaces {
		w.Abstract = append(w.Abstract, abstract)
		delete(data.Interfaces, name)
	}
	slices.SortFunc(w.Abstract, func(a, b *codegen.Interface) int { return strings.Compare(a.Name, b.Name) })
	for key, ref := range data.ReferencedTypes {
		if w.leadsTo(ref) {
			w.Types = append(w.Types, ref)
			delete(data.ReferencedTypes, key)
		}
	}
	slices.SortFunc(w.Types, func(a, b *config.TypeReference) int { return strings.Compare(a.MarshalFunc(), b.MarshalFunc()) })
	return templates.Render(templates.Options{
		PackageName:     data.Config.Exec.Package,
		Filename:        filepath.Join(data.Config.Exec.DirName, "objects.generated.go"),
		Template:        objectsTemplate,
		Data:            w,
		GeneratedHeader: true,
		Packages:        data.Config.Packages,
	})
}

// walk is what the template is about.
type walk struct {
	*codegen.Data

	Objects  []*codegen.Object
	Abstract []*codegen.Interface // and unions
	Types    []*config.TypeReference
}

// leadsTo tells whether values of a type are objects that are walked, or lists of these.
func (w walk) leadsTo(ref *config.TypeReference) bool {
	walked := func(o *codegen.Object) bool { return o.Name == ref.Definition.Name }
	return ref.Definition.IsAbstractType() || slices.ContainsFunc(w.Objects, walked)
}

// Plain tells whether a field needs no more than to be read: it has a value at hand that cannot be wrong. Such a
// field is marshalled where it stands, without a context of its own, so interceptors of fields do not see it.
// Every other goes through gqlgen's function for it.
func (w walk) Plain(f *codegen.Field) bool {
	atHand := f.IsVariable() || f.IsMethod() && f.NoErr && !f.MethodHasContext
	return atHand && !f.IsResolver && !f.HasHaser && len(f.Args) == 0 && !f.HasDirectives() &&
		len(w.AllDirectives.LocationDirectives("FIELD")) == 0 && plainValue(f.TypeReference)
}

// plainValue tells whether values of a type are scalars, enums or lists of these which need no context to
// be written, and cannot be nil where the schema demands one: that error would miss its path.
func plainValue(ref *config.TypeReference) bool {
	if ref.IsSlice() {
		return plainValue(ref.Elem())
	}
	return ref.Definition.IsLeafType() && !ref.IsContext && !(ref.GQL.NonNull && ref.IsNilable())
}
