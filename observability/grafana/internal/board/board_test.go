package board

import (
	"testing"

	"github.com/faultline-lab/faultline/observability/grafana/internal/model"
)

func TestPanelsWithoutAWidthShareWhatTheOthersLeave(t *testing.T) {
	text := func() *Panel { return Logs("logs", "lines", `{service_name="orders"}`) }
	b := New("uid", "title", "description").
		Row("first", 5, text().Wide(10), text(), text()).
		Row("second", 3, text())
	want := []model.GridPos{
		{X: 0, Y: 0, W: 24, H: 1},
		{X: 0, Y: 1, W: 10, H: 5},
		{X: 10, Y: 1, W: 7, H: 5},
		{X: 17, Y: 1, W: 7, H: 5},
		{X: 0, Y: 6, W: 24, H: 1},
		{X: 0, Y: 7, W: 24, H: 3},
	}
	for i, p := range b.Dashboard().Panels {
		if p.GridPos != want[i] || p.ID != i+1 {
			t.Errorf("panel %d is number %d at %+v; want %+v", i, p.ID, p.GridPos, want[i])
		}
	}
}
