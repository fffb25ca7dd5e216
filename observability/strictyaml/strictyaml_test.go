package strictyaml_test

import (
	"strings"
	"testing"

	"github.com/goccy/go-yaml/ast"

	"github.com/faultline-lab/faultline/observability/strictyaml"
)

type pet struct {
	Name  string `yaml:"name"`
	Legs  int    `yaml:"legs"`
	Toys  []toy  `yaml:"toys"`
	Notes any    `yaml:"notes"`
	Mood  mood   `yaml:"mood"`

	Friends map[string]toy `yaml:"friends"`
}

type toy struct {
	Colour string `yaml:"colour"`
}

type mood string

func (m *mood) UnmarshalYAML(node ast.Node) error {
	text, is := node.(*ast.StringNode)
	if !is || text.Value != "good" {
		return &strictyaml.ValueError{Node: node, Message: "a pet's mood is good"}
	}
	*m = mood(text.Value)
	return nil
}

func parse(t *testing.T, text string) []strictyaml.Document {
	t.Helper()
	documents, err := strictyaml.Parse("pets.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return documents
}

func TestSeveralDocumentsAndListsAreRead(t *testing.T) {
	documents := parse(t, "---\n# nothing\n---\nname: Ada\nlegs: 4\nnotes: {any: [thing]}\nmood: good\n---\n- name: Bob\n- name: Cid\n")
	var names []string
	for _, document := range documents {
		for _, item := range document.Items() {
			var p pet
			if err := item.Decode(&p); err != nil {
				t.Fatal(err)
			}
			names = append(names, p.Name)
		}
	}
	if strings.Join(names, " ") != "Ada Bob Cid" {
		t.Errorf("read %q", names)
	}
}

func TestWhatFollowsAnEmptyDocumentIsNotLost(t *testing.T) {
	documents := parse(t, "name: a\n---\n# only a comment\n--- \n...\n---  # nothing\nname: b\n")
	if len(documents) != 2 {
		t.Fatalf("%d documents; want 2", len(documents))
	}
	if got := documents[1].Place("$.name").String(); got != "pets.yaml:7:7" {
		t.Errorf("the second document's name is at %s", got)
	}
}

func TestWhatIsWrongIsNamedWithItsPlace(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"an unknown key":              {"name: a\nlegz: 3\n", `pets.yaml:2:1: unknown key "legz" in the document; the keys there are: name, legs, toys, notes, mood, friends`},
		"a second unknown key":        {"x: 1\ntoys:\n  - color: red\n", `pets.yaml:3:5: unknown key "color" in toys; the keys there are: colour`},
		"an unknown key in a mapping": {"friends:\n  bob:\n    color: red\n", `pets.yaml:3:5: unknown key "color" in bob; the keys there are: colour`},
		"a value of another type":     {"name: a\nlegs: four\n", "pets.yaml:2:7: "},
		"a value that a type refuses": {"name: a\nmood: bad\n", "pets.yaml:2:7: a pet's mood is good"},
		"a key that is there twice":   {"name: a\nname: b\n", "pets.yaml:2:1: "},
	} {
		t.Run(name, func(t *testing.T) {
			documents, err := strictyaml.Parse("pets.yaml", []byte(test.text))
			for _, document := range documents {
				err = document.Decode(&pet{})
			}
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v; want ...%s...", err, test.want)
			}
		})
	}
}

func TestAPlaceIsThatOfTheNearestThingThereIs(t *testing.T) {
	document := parse(t, "name: a\ntoys:\n  - colour: red\n")[0]
	for path, want := range map[string]string{
		"$.toys[0].colour": "pets.yaml:3:13",
		"$.toys[0].size":   "pets.yaml:3:5",
		"$.legs":           "pets.yaml:1:1",
	} {
		if got := document.Place(path).String(); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
	if !document.Has("$.toys[0]") || document.Has("$.legs") {
		t.Error("Has does not say what there is")
	}
}

func FuzzReadingNeverPanics(f *testing.F) {
	for _, seed := range []string{"name: a\n", "- 1\n---\n!!binary x", "a: &b [*b]", "? x\n: y", "\t", "toys: [{colour: 1}]"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		documents, err := strictyaml.Parse("f", []byte(text))
		if err != nil {
			return
		}
		for _, document := range documents {
			for _, item := range document.Items() {
				if err := item.Decode(&pet{}); err != nil && !strings.HasPrefix(err.Error(), "f:") {
					t.Errorf("an error without its place: %v", err)
				}
				item.Place("$.toys[0].colour")
			}
		}
	})
}
