package model

// Panel is one picture, or a row's title (Type row).
type Panel struct {
	ID          int          `json:"id"`
	Type        string       `json:"type"`
	Title       string       `json:"title"`
	Description string       `json:"description,omitempty"`
	Datasource  *Datasource  `json:"datasource,omitempty"`
	GridPos     GridPos      `json:"gridPos"`
	Collapsed   *bool        `json:"collapsed,omitempty"`
	Panels      *[]Panel     `json:"panels,omitempty"`
	FieldConfig *FieldConfig `json:"fieldConfig,omitempty"`
	Options     any          `json:"options,omitempty"`
	Targets     []Target     `json:"targets,omitempty"`
	// Transformations turn the frames of several queries into one table.
	Transformations []Transformation `json:"transformations,omitempty"`
}

// GridPos is a place on a grid of 24 columns.
type GridPos struct {
	X int `json:"x"`
	Y int `json:"y"`
	W int `json:"w"`
	H int `json:"h"`
}

// Target is one query of a panel.
type Target struct {
	RefID        string     `json:"refId"`
	Datasource   Datasource `json:"datasource"`
	Expr         string     `json:"expr"`
	LegendFormat string     `json:"legendFormat,omitempty"`
	EditorMode   string     `json:"editorMode,omitempty"`
	QueryType    string     `json:"queryType,omitempty"`
	Range        bool       `json:"range"`
	Instant      bool       `json:"instant"`
	Exemplar     bool       `json:"exemplar,omitempty"`
	Format       string     `json:"format,omitempty"`
	MaxLines     int        `json:"maxLines,omitempty"`
}

// FieldConfig says how values look.
type FieldConfig struct {
	Defaults  FieldDefaults `json:"defaults"`
	Overrides []Override    `json:"overrides"`
}

// FieldDefaults hold for every series of a panel. Min and Max are pointers, because 0 is a bound.
type FieldDefaults struct {
	Unit       string      `json:"unit"`
	Decimals   *int        `json:"decimals,omitempty"`
	Min        *float64    `json:"min,omitempty"`
	Max        *float64    `json:"max,omitempty"`
	NoValue    string      `json:"noValue,omitempty"`
	Color      *Color      `json:"color,omitempty"`
	Thresholds *Thresholds `json:"thresholds,omitempty"`
	Links      []DataLink  `json:"links,omitempty"`
	Mappings   []Mapping   `json:"mappings,omitempty"`
	Custom     any         `json:"custom,omitempty"`
}

// Color is how a series gets its colour.
type Color struct {
	Mode string `json:"mode"`
}

// Thresholds colour a value.
type Thresholds struct {
	Mode  string `json:"mode"`
	Steps []Step `json:"steps"`
}

// Step is the colour from a value upwards; the first step's value is null.
type Step struct {
	Color string   `json:"color"`
	Value *float64 `json:"value"`
}

// DataLink leads from a series to somewhere else.
type DataLink struct {
	Title string `json:"title"`
	URL   string `json:"url"`
}

// Mapping shows text instead of a number.
type Mapping struct {
	Type    string                   `json:"type"`
	Options map[string]MappingResult `json:"options"`
}

// MappingResult is what a mapped value looks like.
type MappingResult struct {
	Text  string `json:"text"`
	Color string `json:"color"`
	Index int    `json:"index"`
}

// Override holds for the fields that it matches.
type Override struct {
	Matcher    Matcher    `json:"matcher"`
	Properties []Property `json:"properties"`
}

// Matcher selects fields by name or by query.
type Matcher struct {
	ID      string `json:"id"`
	Options string `json:"options"`
}

// Property is one setting of an override.
type Property struct {
	ID    string `json:"id"`
	Value any    `json:"value"`
}

// Transformation is one step between a query's answer and a table.
type Transformation struct {
	ID      string `json:"id"`
	Options any    `json:"options"`
}
