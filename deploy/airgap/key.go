package airgap

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"

	"github.com/faultline-lab/faultline/deploy/toolchain"
)

// recipes are the Dockerfiles and what they copy from here.
//
//go:embed recipe
var recipes embed.FS

// read gives one of them. They are embedded: what is missing is a mistake in this package, found by its tests.
func read(name string) string {
	text, err := recipes.ReadFile("recipe/" + name)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// layout stands for what the code of this package does beside the recipes, such as which file goes where. Raise it when
// that changes: images that are there are otherwise taken for those that would be made.
const layout = "2"

// newKey begins with what all images depend on.
func newKey() *key { return &key{parts: []string{layout}} }

// key names an image by everything that it is made from.
type key struct{ parts []string }

// add takes texts.
func (k *key) add(parts ...string) { k.parts = append(k.parts, parts...) }

// recipe takes all files of a folder of recipes.
func (k *key) recipe(folder string) error {
	return fs.WalkDir(recipes, "recipe/"+folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := recipes.ReadFile(path)
		k.add(path, string(text))
		return err
	})
}

// sources takes what the programs are built from.
func (k *key) sources(programs ...toolchain.Name) error {
	for _, name := range programs {
		source, err := toolchain.SourceOf(name)
		if err != nil {
			return err
		}
		k.add(string(name), source.Key)
	}
	return nil
}

// String is short, and long enough: a few dozen images have to be told apart.
func (k *key) String() string {
	hash := sha256.New()
	for _, part := range k.parts {
		fmt.Fprintf(hash, "%d:%s", len(part), part) // lengths, so that no two lists run together to the same text
	}
	return hex.EncodeToString(hash.Sum(nil)[:4])
}
