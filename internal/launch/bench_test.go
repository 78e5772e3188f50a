package launch

import (
	"testing"

	"rollway/internal/access"
	"rollway/internal/content"
	"rollway/internal/id"
	"rollway/xapi"
)

// BenchmarkOutside is what a launch costs in this room outside its transaction.
func BenchmarkOutside(b *testing.B) {
	ifi, err := xapi.ParseAccount("https://lms.example/", "learner-00000001")
	if err != nil {
		b.Fatal(err)
	}
	l := &Launcher{tokens: newPathTokens(make([]byte, 32)), where: Addresses{Public: "http://localhost:8080", Courseware: "http://localhost:8081"}}
	caller := access.Caller{Org: id.DefaultOrg, Kind: access.Credential, Name: "credential learner-00000001"}
	item := content.Content{Kind: content.XAPI, Package: id.New[id.PackageID](), Launch: "index.html"}
	b.ReportAllocs()
	for b.Loop() {
		s := &start{caller: caller, agent: xapi.Agent{IFI: ifi, Name: "Learner 1"}, item: item, Request: Request{Activity: "https://rollway.example/courses/knots"}}
		if err := s.prepare(); err != nil {
			b.Fatal(err)
		}
		if _, err := l.address(s); err != nil {
			b.Fatal(err)
		}
	}
}
