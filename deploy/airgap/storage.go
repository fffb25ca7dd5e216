package airgap

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
)

// storage is kind's storage class: its manifest, and the two images that it names.
type storage struct{ manifest, provisioner, helper string }

// readStorage takes it from the source of kind, which has it in constants that it does not export.
func readStorage(kindDir string) (storage, error) {
	file := filepath.Join(kindDir, "pkg", "build", "nodeimage", "const_storage.go")
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		return storage{}, fmt.Errorf("kind's storage class: %w", err)
	}
	constants := map[string]string{}
	for _, declaration := range parsed.Decls {
		general, ok := declaration.(*ast.GenDecl)
		if !ok || general.Tok != token.CONST {
			continue
		}
		for _, spec := range general.Specs {
			value := spec.(*ast.ValueSpec)
			if len(value.Names) != 1 || len(value.Values) != 1 {
				continue
			}
			if text, err := evaluate(value.Values[0], constants); err == nil {
				constants[value.Names[0].Name] = text
			}
		}
	}
	found := storage{
		manifest: constants["defaultStorageManifest"], provisioner: constants["storageProvisionerImage"],
		helper: constants["storageHelperImage"],
	}
	if found.manifest == "" || found.provisioner == "" || found.helper == "" {
		return storage{}, fmt.Errorf("kind's storage class is not in %s as it was in v0.33: look where it is now", file)
	}
	return found, nil
}

// evaluate is the value of a constant made of strings and constants before it.
func evaluate(expression ast.Expr, constants map[string]string) (string, error) {
	switch e := expression.(type) {
	case *ast.BasicLit:
		return strconv.Unquote(e.Value)
	case *ast.Ident:
		if value, known := constants[e.Name]; known {
			return value, nil
		}
	case *ast.BinaryExpr:
		left, err := evaluate(e.X, constants)
		if err != nil {
			return "", err
		}
		right, err := evaluate(e.Y, constants)
		return left + right, err
	}
	return "", errors.New("not a constant of strings")
}
