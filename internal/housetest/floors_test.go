package housetest

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"testing"
)

// rooms gives each room its floor; a room holds the packages in its folder that are in no deeper room of this table.
// Within a floor nobody imports anybody, but for the rooms of floor 2, which stand on db, and mail, which stands on access.
var rooms = map[string]int{
	"cmd/rollway": 9, "bench": 9,
	"internal/app":         8,
	"internal/web/clearxp": 7, "internal/web/glpi": 7, "internal/web/lrsapi": 7, "internal/web/scim": 7, "internal/web/rest": 7,
	"internal/web/admin": 7, "internal/web/portal": 7, "internal/web/courseware": 7,
	"internal/launch": 6, "internal/signup": 6,
	"internal/credential": 5, "internal/feed": 5, "internal/signin": 5, "internal/forward": 5, "internal/challenge": 5,
	"internal/directory": 4, "internal/lrs": 4, "internal/content": 4, "internal/web": 4,
	"internal/access": 3, "internal/mail": 3,
	"internal/db": 2, "internal/outbox": 2, "internal/limit": 2, "internal/blob": 2,
	"xapi": 1, "internal/fault": 1, "internal/id": 1, "internal/chore": 1,
}

// support lists the packages that only tests, and one another, may import; they may import anything.
var support = []string{"internal/db/dbtest", "internal/fault/faulttest", "internal/browsertest", "internal/housetest", "internal/mail/mailtest", "internal/web/webtest", "xapi/xapitest"}

// drivers lists the modules that speak to a database; only db, bench and test support may import them.
var drivers = []string{"modernc.org/sqlite", "github.com/jackc/pgx", "database/sql"}

func TestFloors(t *testing.T) {
	t.Parallel()
	packages := map[string]bool{}
	for _, file := range goFiles(t) {
		packages[file.folder] = true
		if file.test {
			continue // tests may look at the house from any floor
		}
		for _, spec := range file.tree.Imports {
			if why := judge(file.folder, strings.Trim(spec.Path.Value, `"`)); why != "" {
				t.Errorf("%s: %s", file.position(spec), why)
			}
		}
	}
	for folder := range packages {
		if room, _ := roomOf(folder); room == "" && !isSupport(folder) {
			t.Errorf("%s is in no room: give it a floor in the table rooms", folder)
		}
	}
}

// judge says why a package in folder from may not import path, or "" if it may. An import of ours starts with "rollway/".
func judge(from, path string) string {
	if isSupport(from) {
		return ""
	}
	room, floor := roomOf(from)
	to, ours := strings.CutPrefix(path, "rollway/")
	if !ours {
		return judgeOutside(room, floor, path)
	}
	if isSupport(to) {
		return to + " is for tests only"
	}
	target, targetFloor := roomOf(to)
	switch {
	case room == target:
		return ""
	case floor == 2 && target == "internal/db", floor == 3 && target == "internal/access":
		return ""
	case targetFloor >= floor:
		return fmt.Sprintf("%s (floor %d) may not import %s (floor %d): imports go down only", room, floor, target, targetFloor)
	case floor == 7 && target == "internal/db":
		return fmt.Sprintf("the door %s may not import db: a door calls one verb of a room", room)
	case room == "cmd/rollway" && targetFloor == 7:
		return fmt.Sprintf("the command line may not import the door %s: app mounts the doors", target)
	case room == "internal/web" && !slices.Contains([]string{"internal/access", "internal/fault", "internal/id"}, target):
		return fmt.Sprintf("web is plumbing and may not import %s, only access, fault and id", target)
	}
	return ""
}

// judgeOutside judges an import of the standard library or of another module.
func judgeOutside(room string, floor int, path string) string {
	isDriver := slices.ContainsFunc(drivers, func(d string) bool { return path == d || strings.HasPrefix(path, d+"/") })
	isStandard := !strings.Contains(strings.Split(path, "/")[0], ".")
	switch {
	case path == "database/sql/driver": // the Valuer that a type of id implements
		return ""
	case isDriver && room != "internal/db" && room != "bench":
		return fmt.Sprintf("%s may not import %s: engines differ inside db only", room, path)
	case floor == 1 && !isStandard && !(room == "xapi" && strings.HasPrefix(path, "github.com/go-json-experiment/json")):
		return fmt.Sprintf("%s stands on the standard library alone and may not import %s", room, path)
	}
	return ""
}

// roomOf returns the room of a package's folder and its floor, or "" and 0.
func roomOf(folder string) (string, int) {
	for {
		if floor, ok := rooms[folder]; ok {
			return folder, floor
		}
		cut := strings.LastIndexByte(folder, '/')
		if cut < 0 {
			return "", 0
		}
		folder = folder[:cut]
	}
}

func isSupport(folder string) bool {
	return slices.ContainsFunc(support, func(s string) bool { return folder == s || strings.HasPrefix(folder, s+"/") })
}

func TestJudge(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, to string
		may      bool
	}{
		{"cmd/rollway", "rollway/internal/app", true},
		{"cmd/rollway", "rollway/internal/web/lrsapi", false},
		{"internal/app", "rollway/internal/web/lrsapi", true},
		{"internal/app", "rollway/cmd/rollway", false},
		{"internal/web/clearxp", "rollway/internal/launch", true},
		{"internal/web/clearxp", "rollway/internal/web", true},
		{"internal/web/clearxp", "rollway/internal/web/lrsapi", false},
		{"internal/web/clearxp", "rollway/internal/db", false},
		{"internal/web", "rollway/internal/access", true},
		{"internal/web", "rollway/internal/id", true},
		{"internal/web", "rollway/internal/db", false},
		{"internal/web", "rollway/internal/limit", false},
		{"internal/web", "rollway/internal/web/rest", false},
		{"internal/launch", "rollway/internal/credential", true},
		{"internal/launch", "rollway/internal/signup", false},
		{"internal/credential", "rollway/internal/directory", true},
		{"internal/credential", "rollway/internal/launch", false},
		{"internal/lrs", "rollway/internal/directory", false},
		{"internal/lrs", "rollway/internal/db", true},
		{"internal/content/sample", "rollway/internal/content", true},
		{"internal/content", "rollway/internal/content/sample", true},
		{"internal/content/sample", "rollway/internal/lrs", false},
		{"internal/outbox", "rollway/internal/db", true},
		{"internal/outbox", "rollway/internal/limit", false},
		{"internal/mail", "rollway/internal/access", true},
		{"internal/access", "rollway/internal/mail", false},
		{"internal/db", "rollway/internal/outbox", false},
		{"internal/db", "rollway/internal/db/schema", true},
		{"internal/db", "rollway/internal/fault", true},
		{"internal/db", "rollway/internal/db/dbtest", false},
		{"internal/db/dbtest", "rollway/internal/db/dbtest/pgcluster", true},
		{"internal/db/dbtest", "github.com/jackc/pgx/v5", true},
		{"internal/db", "modernc.org/sqlite", true},
		{"internal/lrs", "modernc.org/sqlite", false},
		{"internal/lrs", "database/sql", false},
		{"internal/id", "database/sql/driver", true},
		{"internal/id", "github.com/google/uuid", false},
		{"internal/id", "rollway/internal/fault", false},
		{"xapi", "github.com/go-json-experiment/json/jsontext", true},
		{"xapi", "rollway/internal/fault", false},
	} {
		if why := judge(c.from, c.to); (why == "") != c.may {
			t.Errorf("%s imports %s: want may=%v, got %q", c.from, c.to, c.may, why)
		}
	}
	if room, _ := roomOf("internal/gadget"); room != "" {
		t.Errorf("internal/gadget counts as part of %s", room)
	}
}

// TestNoSkips: a proof that did not run is not a proof.
func TestNoSkips(t *testing.T) {
	t.Parallel()
	for _, file := range goFiles(t) {
		ast.Inspect(file.tree, func(node ast.Node) bool {
			if verb, ok := node.(*ast.SelectorExpr); ok && slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, verb.Sel.Name) {
				t.Errorf("%s: nothing may be skipped: make a test run everywhere or fail with what is missing", file.position(node))
			}
			return true
		})
	}
}

// position says where a node is, for an error message.
func (f goFile) position(node ast.Node) token.Position { return f.set.Position(node.Pos()) }
