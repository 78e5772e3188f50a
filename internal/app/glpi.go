package app

import (
	"strconv"

	"rollway/internal/web/glpi"
)

// GLPIConfig says how the door for dashboards speaks.
type GLPIConfig struct {
	Compat      bool   `help:"Let GLPI's door take short and common passwords, as its guide prints one."`
	Created     string `help:"Status of what GLPI's door creates; auto is 200 for sessions in the query, as its guide prints, and 201 for others: ${enum}." enum:"auto,200,201" default:"auto"`
	AppToken    string `name:"app-token" help:"App token that GLPI's door wants with every request. Default: none." placeholder:"TOKEN" secret:"all"`
	NoPasswords bool   `name:"no-passwords" help:"Let nobody open a session of GLPI's door with a password."`
	NeedType    bool   `name:"need-type" help:"Let GLPI's door insist on the header Content-Type, as its guide says; GLPI does not."`
}

// dialect is the door for dashboards.
func (h *House) dialect() *glpi.Door {
	c := h.Config.GLPIConfig
	status, err := strconv.Atoi(c.Created)
	if err != nil { // auto
		status = 0
	}
	return &glpi.Door{
		Config: glpi.Config{Off: h.Config.GLPI == "off", Lenient: c.Compat, CreatedStatus: status, AppToken: c.AppToken, NoPasswords: c.NoPasswords, NeedType: c.NeedType},
		Public: h.Config.PublicURL, Directory: h.Directory, Challenges: h.Challenges, Signin: h.Signin, Signup: h.Signup,
	}
}
