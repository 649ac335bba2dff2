package password_test

import (
	"strings"

	"github.com/go-roster/roster/password"
)

const (
	plainWords = "correct horse 1"
	otherWords = "Pä55wörd 中文 ßé"

	devisePepper = "9f3c0e5b7a1d4c8e9f3c0e5b7a1d4c8e9f3c0e5b7a1d4c8e9f3c0e5b7a1d4c8e9f3c0e5b7a1d4c8e9f3c0e5b7a1d4c8e9f3c0e5b7a1d4c8e9f3c0e5b7a1d4c8e"
)

// vector is what another program has stored for a password.
type vector struct {
	from             password.Origin
	password, column string
}

// vectors were made by other programs, which are named.
var vectors = []vector{
	// Django 3.2.25, the encode of each hasher.
	{password.Django, plainWords, "pbkdf2_sha256$2000$MQJT7vUx8nWQXlaxzSpXcI$olncuWBdKH8qCbJcrfBN01ktvAe+ANBIkwVxHMf00i4="},
	{password.Django, plainWords, "pbkdf2_sha1$2000$sycDIYQ4SqzhHebQTBso6v$obzYyaIrFSBaREyogY8K8BjyHlg="},
	{password.Django, plainWords, "argon2$argon2id$v=19$m=512,t=1,p=2$b2NRTXlJa1ptTk8ySFdYU0VUQTdQTg$Q8XKB/VwdfDKvTyXmhzpSA"},
	{password.Django, plainWords, "bcrypt_sha256$$2b$05$GuQLEgIk37gtzFdmFO8d4eMsmIOXA3/6JE4Fy6FSroqQ9QMLja.b."},
	{password.Django, plainWords, "bcrypt$$2b$05$sceuQ.F449U.rD81BB9zIuf84adpugOHNqQjhNLUt4k5eZS7df7hG"},
	{password.Django, plainWords, "sha1$evkDk4bcBBX6KW7Sikf4Ow$4f25cfe8162a6559a5788081f376e4102cad727a"},
	{password.Django, plainWords, "md5$20dJyK9g2xdU8PhX3u4Tbg$3d4bb5d06e8b07072f4107f420e26689"},
	{password.Django, plainWords, "sha1$$c797cfbd81600dc6c60131af6835cf3e45b19dcf"},
	{password.Django, plainWords, "26cddb9f7d28f3d57a5a7c824b1216b7"},
	{password.Django, otherWords, "pbkdf2_sha256$2000$mUplieiHHNq8f6Ec7v9C99$ME9Pjdakwyu4KJB3JPMYyinAl9QTAnFEdANhn4f60cs="},
	{password.Django, otherWords, "pbkdf2_sha1$2000$ZfukG4AwpmgaYxeqUPsmdV$m7e8EPAif31HFCrxiUilkg6DUv4="},
	{password.Django, otherWords, "argon2$argon2id$v=19$m=512,t=1,p=2$aVhiVGtWcHFIRGpSMXBVYUZkd0U4cA$mvJmZPmwT7JDgdp3mT0t6w"},
	{password.Django, otherWords, "bcrypt_sha256$$2b$05$52IPBjx4E5BVh7R1y4uBO.79NnH0ZxE2pAYpI.EKhyAA6FkF8ReZ."},
	{password.Django, otherWords, "bcrypt$$2b$05$dR01sFwWrwjCb237hKw8B.0P4gMLbL1n55rED45UnzQl5YdfAXna."},
	{password.Django, otherWords, "sha1$mr4VOGJwUYGL6W0TBHOS7r$8bf17c63762c44308a7733baf2d882c432097943"},
	{password.Django, otherWords, "md5$mlt6315QYsQ9CYAH722ZMX$0bfdd621a8096724c644add4494cffe1"},
	{password.Django, otherWords, "sha1$$4fcac27bddb7498e3ba7abe46ec7f46a0fefc002"},
	{password.Django, otherWords, "e3ba23c71cb44280f92dc34803eb1a22"},

	// passlib 1.7.4.
	{password.Websauna, plainWords, "$argon2i$v=19$m=512,t=2,p=2$Rai1VkpJCcH4v9d6733PeQ$tozNcaGpBTuBE0KCvYDXVg"},
	{password.Websauna, plainWords, "$argon2id$v=19$m=512,t=2,p=2$glCKkXIuRYixNiYEwJjTGg$6XazvH5HBwnPGUZfguz2Pg"},
	{password.Passlib, plainWords, "$pbkdf2$1500$955zLkVI6R1D6P0/RyjlPA$O7pHAVRXpYw64F1BwP/cIPL4VVI"},
	{password.Passlib, plainWords, "$pbkdf2-sha256$1500$2bsXwrgXohSi1JozJsQ4Rw$FNqMQ0zkhi9krAkLHCYCFc1YXQnCl7mTwUJGc3KO5BE"},
	{password.Passlib, plainWords, "$pbkdf2-sha512$1500$6B3jPOd8z9l7j9Ham5PS.g$QLPxIZlKGGJtcdRoYXQJNQ4OR8jswNmkJf2lGhckzok3B.g64HOFGDzAIOmMRtzStRxwg6680HScf0BJqMHK0Q"},
	{password.Passlib, plainWords, "$scrypt$ln=8,r=8,p=2$JyQEYCzlXOtd632PMQZAaA$ofc2b8V72ZQLaZysfewriijfULwTDLbOL+6xFY1f9eg"},
	{password.Passlib, plainWords, "$bcrypt-sha256$v=2,t=2b,r=5$oU4y12n.TZqQxmK/p9UEpO$llshMGqwDezeKWVoaGo4yHu/.0gxBd6"},
	{password.Passlib, plainWords, "$P$6kbHOOp3UlSI7Ss1l3BJe1bPzW290B/"},
	{password.Passlib, plainWords, "$1$vpsnV/zB$txVeHx75LJrRvJD1gnSRT0"},
	{password.Passlib, plainWords, "$apr1$nYxgzEaQ$3S8ambRi.mxTiW1iEjgVI/"},
	{password.Passlib, plainWords, "$5$rounds=1234$z8WRUp6YtEzDkwOb$EGRQP9jzdvqyoVYqEyZmBucBWbC62wYAzevYkvKFOi6"},
	{password.Passlib, plainWords, "$6$rounds=1234$bJGr7WeQb0J0xdLU$.tXtlL8uVHKq2J9lNfuyxYlj9iR1RrL.yTDPk2iuRZ2r4ye2hCLunbV1E49BHc/NIxhLwbhhmG.I0521D9gY.."},
	{password.Passlib, plainWords, "$bcrypt-sha256$2b,5$zzREfF0x8.lVUM.JisDYeu$XlkgwlOaJsXtrZQxZTP.uvaE1b/iIzO"},
	{password.LDAP, plainWords, "{MD5}Js3bn30o89V6WnyCSxIWtw=="},
	{password.LDAP, plainWords, "{SHA}x5fPvYFgDcbGATGvaDXPPkWxnc8="},
	{password.LDAP, plainWords, "{SMD5}j0+wsYx8o22BUiLMUIPCndnbO8c="},
	{password.LDAP, plainWords, "{SSHA}omuU0nBRX9aLw5y7OOotLWjJh6TN2bv3"},
	{password.LDAP, plainWords, "{SSHA256}heDPclOeKB8Qp+mLHv3AbZNeHZD5Qxt6Qq32vXAzlQRvDcE4x7j33g=="},
	{password.LDAP, plainWords, "{SSHA512}vxHzacmzWcxzCkMI2DM6vIIDbXXk/tiJBknEheCWpCS7Hjx/ILMvA6+HvSo0i6veHxlrfrM6tCHLTHw5IBg+j8s5Z0wpJcQY"},
	{password.LDAP, plainWords, "{PBKDF2}1500$SwkB4Nw7J6R0jlGqVQrBOA$y9NoZk7NL/NARzV5FYAGmCVzV08"},
	{password.LDAP, plainWords, "{PBKDF2-SHA256}1500$WCsFoDTmvBdCKMX4/z9nLA$XgK90dxg25U4N/wCbn0.h13RkeWfFSjZQ3yihZQl.2Q"},
	{password.LDAP, plainWords, "{PBKDF2-SHA512}1500$zLn3/v9fq5Wydk4pJUTonQ$PClfuyaHDQMqAL8lg5Tdr6dcH42PRTuJK1YxPrLieaW2D.57t1YqdCk7uQLaaZxNjsmonM0tlWjvuvVuoK6fZg"},
	{password.LDAP, plainWords, "{CRYPT}$1$V5PY5QDT$Ftf38i1ISVRhUAlbtd2Yu/"},
	{password.LDAP, plainWords, "{CRYPT}$6$rounds=1234$Fjx82MrJcs7Nocg1$V/hZc04mDthFc72SshzQ4WLcScUka/N2OGag5dGqKwrFWNxnle/i6ovZfe8Kmgl6ETlYGaivSyRyuDaVE7HCU/"},
	{password.LDAP, plainWords, "{CRYPT}$2b$05$UHdZqz7iS6N03AhZnxB8Ee.imbbLiddB4f0Rlre7AvLc7G2mz5S5G"},
	{password.Websauna, otherWords, "$argon2i$v=19$m=512,t=2,p=2$z/n/31uLMQYAoNR67z0H4A$yHt0U5E065PW60sP5By9wQ"},
	{password.Websauna, otherWords, "$argon2id$v=19$m=512,t=2,p=2$2jtHqDWG0No7h3COcY5RCg$TjcZ4iWiZCfcvkc0hWlnRA"},
	{password.Passlib, otherWords, "$pbkdf2$1500$k/KeE6K0thZCyDnnnBPifA$9Ov1729hf.hbN0VG3UWPdsQnRoY"},
	{password.Passlib, otherWords, "$pbkdf2-sha256$1500$0RqjtBYihDBmjHHunVPqvQ$zegtdZF9HuIzw.DwhNkcgE3Aqip5/n3tbzASA9SyhEc"},
	{password.Passlib, otherWords, "$pbkdf2-sha512$1500$WotR6t2bU.odAwBgLOUcww$t4IeV9PNv6NhMu0OBcMh6XvmYJWOLypBPam9y.Nxe3mpEUtrLyFf6QJb5vbgJDulr47iM1QKyenN98lphTo3hw"},
	{password.Passlib, otherWords, "$scrypt$ln=8,r=8,p=2$OeecE4IQwvh/rxUihBCilA$EGkLj02UqapljQt80qUibKTIKjH2DCHUqgWDDr76UaU"},
	{password.Passlib, otherWords, "$bcrypt-sha256$v=2,t=2b,r=5$.oYQsb52zT4bjFFI.lCw2u$9O28eMVSIJLw2O6np0k3eGB80GghX2K"},
	{password.Passlib, otherWords, "$P$6tXEYzAa92Nmd8GP4NIFdqyXkeZ2VL/"},
	{password.Passlib, otherWords, "$1$UPMVfRMP$B7HtaNnGq5y4c/Y/k6kr4."},
	{password.Passlib, otherWords, "$apr1$wJCsWPyv$CSZ2U6bPuQxKkw56qD6qx0"},
	{password.Passlib, otherWords, "$5$rounds=1234$0S/HAQOAMpb5NC7P$Vt0TX4AFiF4KNE0bHxbf0WA69N14lu/zsfL7N4kUhr9"},
	{password.Passlib, otherWords, "$6$rounds=1234$1KNWVAb5XC1lGDUp$mP6uUtfFzYsuBV6y0KdWJk/YPpIbYQazUtp5rGFKccq.d21PDucIa6Iplex.jTxWn8Fx4f7h4Bydd8mB4jT1R0"},
	{password.Passlib, otherWords, "$bcrypt-sha256$2b,5$Vnol/XHTJ.gh3fWbFZ/WKu$eO443iO7xMt6N9UNzWlIEUgw6vmysZ6"},
	{password.LDAP, otherWords, "{MD5}47ojxxy0QoD5LcNIA+saIg=="},
	{password.LDAP, otherWords, "{SHA}T8rCe923SY47p6vkbsf0ag/vwAI="},
	{password.LDAP, otherWords, "{SMD5}QP8Tt3/kPmGnqv+aA47hu/1fq5U="},
	{password.LDAP, otherWords, "{SSHA}1RKUfZYS3iG7fnozB41hNlc7lQaGMMYY"},
	{password.LDAP, otherWords, "{SSHA256}0f9fDMyC+OXQdgbCQq9f1gjquiBvpcIo/gZe0xhIinMxhpCytra2Fg=="},
	{password.LDAP, otherWords, "{SSHA512}8qpw5ptWUMolpWHgPuWeNTP6WsJpOMDSMo/vAavICiMbbSyh2IeJjLbi5b6sIc00+bK3FIlYIvbTO/LvSbYh72BsjdGaEyJE"},
	{password.LDAP, otherWords, "{PBKDF2}1500$VYqxVup9by1lDGGMUaoVAg$z4Z1PnrnHPJdhHKu4gnjJm/hDO8"},
	{password.LDAP, otherWords, "{PBKDF2-SHA256}1500$1FpLKUUI4VxLSal1Tsn5Hw$.bkc5svuzjjV7De9Rk9UmtB7L9/7AgpnY2SXnRlbcLc"},
	{password.LDAP, otherWords, "{PBKDF2-SHA512}1500$I.R8T2nNOSdkbC0FIETI.Q$LkIpeHaD7vQBFlAG8Xeaenri2KmB3JbUGt57/dj0LJamVnXMERIjF3tgutBvrgEhSlZmKpyPx32GrfmSuUxJPw"},
	{password.LDAP, otherWords, "{CRYPT}$1$zuzdcQpT$0uaRXISzr4IrcyrU6xdX00"},
	{password.LDAP, otherWords, "{CRYPT}$6$rounds=1234$fXn4ddVR0KkKlj69$z1Zvn7uUutGqr35iiRx5GckNzT56rqFtMaLsJJbhWoN6nV6ysJu/crad03Wqcot5P5CkVFnmBKQypioKsL32c1"},
	{password.LDAP, otherWords, "{CRYPT}$2b$05$l8iSXSM7.D1pTJDp7EgoOeYWuyocCcW7qUhuJnDVC0WjWOr1N63bu"},
	{password.PhpBB, plainWords, "$H$6kbHOOp3UlSI7Ss1l3BJe1bPzW290B/"},

	// Werkzeug 2.2.2, generate_password_hash.
	{password.Werkzeug, plainWords, "pbkdf2:sha256:1500$NggzTZ0yJXN7lPce$0bed4233c6a45c465cff8e07d928d491c049e109be5a283f839166b723832517"},
	{password.Werkzeug, plainWords, "pbkdf2:sha1:1500$coR1S9otgbOxxYaS$78a80217463c5e89727276c1ed7b09fa083351a4"},
	{password.Werkzeug, plainWords, "pbkdf2:sha512:1500$gAlUlpqiNIPkpKVM$180c544cb42be9c2f1818a5856343605d82dcf18cd0a137c4e31e3c9e520a4311abfe116af2cd819a8998fb0d1f848cf89f926fb79249a84509d80e071fef1e6"},
	{password.Werkzeug, plainWords, "sha1$9GmvGc7i993iFtQY$7f6ebfe73e1ed9b66dcd73cda6a9d588adb63f1e"},
	{password.Werkzeug, plainWords, "sha256$g4ZdypP17U9vdpe5$93643ab884b98b100483146e0200a40d89e0718c4f82d8aa2161c4283d3770bd"},
	{password.Werkzeug, plainWords, "md5$jwq7KMLyRXjMXfhH$eed9efd057280cc745fbb9b3d5695d12"},
	{password.Werkzeug, otherWords, "pbkdf2:sha256:1500$waxO5IaMkrC9OafB$e4128408199c89f41e34c4ade290cfad2582166ed72ef683a03f7a4ae4d852f8"},
	{password.Werkzeug, otherWords, "pbkdf2:sha1:1500$pnyNpqZpi3yMDtLk$dbcfdad9df386e11fb0331d43eafaecd5f62fe00"},
	{password.Werkzeug, otherWords, "pbkdf2:sha512:1500$a45wvAZ3AVK8rl9c$7901291ad268e91387d72211127f6fa66c3161da7491f5b2c55fca709e0ae9226d640354cd91cab66ba21470bea41324e1d7412b89770fc2631d26da1781be3f"},
	{password.Werkzeug, otherWords, "sha1$EI7lOAigSLLqRxRq$5960c7daa4b1e2bac5a90d1b32c1985a9dfd6852"},
	{password.Werkzeug, otherWords, "sha256$8y8ukJL2v5w6zdmB$4f92178a5a1328d659f59c195b9370e6b6178663cc37a005d92c96498cf89ef9"},
	{password.Werkzeug, otherWords, "md5$yNbyzgmlA6loXbdF$852ddfdd152343e7cbe06556d7467850"},

	// python-bcrypt 3.2.2.
	{password.Crypt, plainWords, "$2a$05$V9N9wa1s2KtwWEX0qaSv2uOM9SA4aKLaQRuspnsKzgxM8UqS0sXJW"},
	{password.Crypt, plainWords, "$2b$05$yf64Y3HQpZz1JS5kqFudAu7PKWeRBP2wXMI8.y9BITE/CS.k/TPd."},
	{password.Crypt, otherWords, "$2a$05$RbrvDYOM0GI4eNuST2WxSeCjba9klyCwmWw7bOtVv51Aova1PYLzq"},
	{password.Crypt, otherWords, "$2b$05$ZdDpIPyL4gtzgwFCpbyu8.ULqGEHjn4DHEftS8h4hyusInFkPwmw2"},

	// libxcrypt 4.4.33, crypt(3).
	{password.Crypt, plainWords, "$1$GSNWuYZ6$o6HzWJ4YZir2EV7iB44Xd."},
	{password.Crypt, plainWords, "$5$Kz2yRff8/EMBb6md$3qNb.234xfQNPbhzQ6IVElvChIybJl0C4OVAGDpzIl1"},
	{password.Crypt, plainWords, "$6$rounds=1000$G1D11cD84tGZnNmt$4vA1AfjynFzr8XNWa1fi7VZWzx1U1nkjlMFzuhOFzfjZHtFWBgNLYfKtHKlF3zfh2U5yZ046Y.Rj10y3/Y3m7."},
	{password.Crypt, plainWords, "$5$rounds=4321$PVwkQwl6IqXicBoW$aFMbzuF0p6FgMFv3cJhvyK0HI/Qw0Na2m5a2LHfuys8"},
	{password.Crypt, plainWords, "$2y$05$abcdefghijklmnopqrstuuEXhiyQmRggPHo/Jc2S7y8qHYKiOUBCm"},
	{password.Crypt, plainWords, "$2x$05$abcdefghijklmnopqrstuuEXhiyQmRggPHo/Jc2S7y8qHYKiOUBCm"},
	{password.Crypt, plainWords, "$2b$06$abcdefghijklmnopqrstuuw1oUcbqlBRii/5ylE8CRE/KMqasSX3i"},
	{password.Crypt, plainWords, "$2a$04$abcdefghijklmnopqrstuu..ECdwB5ftHOtfZdMoWOaxWtbxL1ouK"},
	{password.Crypt, plainWords, "$y$j75$PuntzU.ssRXzeFtf94FvC0$ExWW4v3cBj7z4jgA3gD5Td6oOJJEdesISmMxNsz1P.6"},
	{password.Crypt, plainWords, "$y$j7T$vU3gX1MRfJCF6Twvs0MGg1$953HBKKaK78nd3bSCXk5qmBL0am9BDkWHdwEa5RcX17"},
	{password.Crypt, plainWords, "$y$j9T$STHgrekfUUem4KeBwMWgR1$DPR7dKUKEfzqWRK2C8oEfPnLB0by.u84u0VIQgapFlC"},
	{password.Crypt, plainWords, "$y$jBT$RkE4u/ScXol4qG/IFTxOK0$LTQnGzd3GEML1S5acRt8levH6CHeTPy32HA1UBetJZ0"},
	{password.Crypt, plainWords, "$7$BU..../....1muXLnbQHBH5K6Yz8f5P1/$sArf9nt/XsAzT9O/aDNl5Ilrh.0.xd3hW7CdhdLb3WD"},
	{password.Crypt, otherWords, "$1$q9kN4hoi$cTpfDNEZZYl/Z9nQd2xmR1"},
	{password.Crypt, otherWords, "$5$rYviB/H2jJFUkRy7$50qKRqWOOuE/Pb6AycNKA.JyrBrs4MYs.yEfdM/Mx.0"},
	{password.Crypt, otherWords, "$6$rounds=1000$O8AWo4kj/1X2Gd68$KqNNGc30bclsWTk2Q/uDNnkmGqWFzfIG0yl6maasv5ttDTcWQmbsMkwnJN.6NNAXVqdWfpReZrvh0mxROHg140"},
	{password.Crypt, otherWords, "$5$rounds=4321$KOlf1ObmdD5Eevl3$K/qCzskn9n9eKTz8Na3ICGkKM3jfDguU.dBMXAtJ2EB"},
	{password.Crypt, otherWords, "$2y$05$abcdefghijklmnopqrstuuR47e5PO18usJJupVu7SDeuWUnIRiTPm"},
	{password.Crypt, otherWords, "$2x$05$abcdefghijklmnopqrstuuB2iPriDzjVE4QZIys7UlI7y9UN/uLuy"},
	{password.Crypt, otherWords, "$2b$06$abcdefghijklmnopqrstuuCP0Qqwz3ggZ1ovYrl.oQqXX7QMKGQd6"},
	{password.Crypt, otherWords, "$2a$04$abcdefghijklmnopqrstuuwipVcnPWdj4WN8hNnrDPdZ0lrcMwZfC"},
	{password.Crypt, otherWords, "$y$j75$CXeVM1FzWpUmrs6tM9dAN1$gTKSHPlDNUN.bdGKOmyLGJx3erbHgDQT6JDzlIIwoG6"},
	{password.Crypt, otherWords, "$y$j7T$aECD7br2mfYilP7o5f.Cv1$MCZQ0UyxKo8G7bNm6qW6SNyMWXWiMw20Ig9sLoAFkyB"},
	{password.Crypt, otherWords, "$y$j9T$SvoMufax5YdRIgvzBR4x3/$Psc2GJ4O292iHTe9t98Q2euQSWUkuIpk6OhXpsc6Hq5"},
	{password.Crypt, otherWords, "$y$jBT$VZkrJvRTz7vlLiFNZH//S0$7TJr66CnQJ0nCgkFF7ScZ5BMKKw2atJJHPhuhzCLRp8"},
	{password.Crypt, otherWords, "$7$BU..../....K1Jj5SB9zAYREyAPau.ln.$VvAINI2jkNILgp3OSpHQACrjm9CLTGPUeiv837uXoNC"},

	// argon2-cffi 21.1.0 (the reference implementation); v=16 is version 1.0.
	{password.Passlib, plainWords, "$argon2d$v=19$m=64,t=2,p=3$c29tZXNhbHRzb21lc2FsdA$Riq1keQ255yEiD1Bd9Ang3AiV7MJPLR6AqdadJD3zbs"},
	{password.Passlib, plainWords, "$argon2d$v=16$m=64,t=2,p=3$c29tZXNhbHRzb21lc2FsdA$HM0cu54Lp9Gb7uqh1TirDEf8KzCE7f5T8r2F3sQ1Zb4"},
	{password.Passlib, plainWords, "$argon2i$v=19$m=64,t=2,p=3$c29tZXNhbHRzb21lc2FsdA$6rC154qBQF0cYtyBH0836La8PKVemhQDwKqSleQODQ0"},
	{password.Passlib, plainWords, "$argon2i$v=16$m=64,t=2,p=3$c29tZXNhbHRzb21lc2FsdA$rnL2Cq4bW1P37XtdxNe9hGjVK6O6WPjPXFJfkhPmLZ8"},
	{password.Passlib, plainWords, "$argon2id$v=19$m=64,t=2,p=3$c29tZXNhbHRzb21lc2FsdA$tBYUIS8wyPbwlP2PdHZdxBCHBQIzjqEwuMnCnDZFITM"},
	{password.Passlib, plainWords, "$argon2id$v=16$m=64,t=2,p=3$c29tZXNhbHRzb21lc2FsdA$0xc6eQ3yKZf/xC9s6l9O5V4Ut2k7UojYS1JfnE82qYc"},
	{password.Passlib, otherWords, "$argon2d$v=19$m=64,t=2,p=3$c29tZXNhbHRzb21lc2FsdA$ITJXi9OHANCt1L128l00UtmAnocqRtLqbTNITnxLIEA"},
	{password.Passlib, otherWords, "$argon2d$v=16$m=64,t=2,p=3$c29tZXNhbHRzb21lc2FsdA$aRzMMrNy3jmk9bqQ5iJq6Q8LpfkhVWdxMNAcCdQjS9A"},
	{password.Passlib, otherWords, "$argon2i$v=19$m=64,t=2,p=3$c29tZXNhbHRzb21lc2FsdA$FcElKePvoffK3e07g0SthnJVfmPC7WIVo7TJzJWee+E"},
	{password.Passlib, otherWords, "$argon2i$v=16$m=64,t=2,p=3$c29tZXNhbHRzb21lc2FsdA$n2NfguX6IHAdOucyflSzAor2rW93mGIqdBjaO+AL9ac"},
	{password.Passlib, otherWords, "$argon2id$v=19$m=64,t=2,p=3$c29tZXNhbHRzb21lc2FsdA$WCUy5jJFViPonxMNoNqY61fjj9aLnjE8AiPcBfO4EKs"},
	{password.Passlib, otherWords, "$argon2id$v=16$m=64,t=2,p=3$c29tZXNhbHRzb21lc2FsdA$JelSLdKCYDqWEMzxXLhYKjTlbWxTsVi9A0KWNymD41Y"},

	// PHP 8.2.36, password_hash, as Laravel calls it.
	{password.Laravel, plainWords, "$2y$05$zzLoTqG.VKE8.IOTaXVEj.hwFKwHjo05/PbGqL3Y6QdEggZkBX3ua"},
	{password.Laravel, plainWords, "$argon2i$v=19$m=512,t=2,p=1$L1NHdS82aTN0YXZudnZ6SQ$slhid0306CBxm33/2b3uHh84JlLoZngRcO1u8nCeCkk"},
	{password.Laravel, plainWords, "$argon2id$v=19$m=512,t=2,p=1$UUVrQVlxRDBDajc1bWR0Vw$jZz8DXI7iW//G+8NG16VtBMNEeCJt1kJ0kDMoBYkLG8"},
	{password.Laravel, otherWords, "$2y$05$jcsEhsX7SQw7a/19UbD/XeDHxP6L4TA7ale6xU/SCP0.zaj.EUlcG"},
	{password.Laravel, otherWords, "$argon2i$v=19$m=512,t=2,p=1$aENBUG5sNjhRSDFWd1pSeA$noFG7y9nAGXnXxLX+3q/O6ipf42vl5ExiUWRaOJEo9E"},
	{password.Laravel, otherWords, "$argon2id$v=19$m=512,t=2,p=1$a1pIeU9zM0M5dHJpeXhtcg$ZRyNXN2+anMwDB+Y05fi6LVfTabtBM8BqjxbDXTuLv4"},

	// PHP 8.2.36, as wp_hash_password of WordPress 6.8: '$wp' . password_hash(base64_encode(hash_hmac(…))).
	{password.WordPress, plainWords, "$wp$2y$05$7d1wHOV6AlRt/G.yfDB09.ErmlVTxvi0imaISptpFNzu7WY6P4Bf."},
	{password.WordPress, otherWords, "$wp$2y$05$pse3.z4n4lm87PKMi75xHeEI1XN4o85gq9aQ9/el.Xt2QR0PftOsa"},

	// WordPress 6.1.9, PasswordHash; md5 of PHP 8.2.36.
	{password.WordPress, plainWords, "$P$Brt3YTF7CEg/l84VBjaPM6kZiPYQ3I/"},
	{password.WordPress, plainWords, "26cddb9f7d28f3d57a5a7c824b1216b7"},
	{password.WordPress, otherWords, "$P$BaS7r3MNxC4W52ol4sH03NALAARZxC."},
	{password.WordPress, otherWords, "e3ba23c71cb44280f92dc34803eb1a22"},

	// MediaWiki 1.39.17, its Password classes.
	{password.MediaWiki, plainWords, ":A:26cddb9f7d28f3d57a5a7c824b1216b7"},
	{password.MediaWiki, plainWords, ":B:a4f40a5f:11b7f6a4b1fec86957cf41c804a13aac"},
	{password.MediaWiki, plainWords, ":pbkdf2:sha512:1500:64:OA5eSOD0MSH7Kv+cGycAXA==:s338VKN25KqVD7yYxMlfkDiadHW/tylCphdXWRuuE/78EFpyS+CsDK7CMfpVRdjbc56uA2Cv/Pf97QK2YvLrsg=="},
	{password.MediaWiki, plainWords, ":pbkdf2:sha256:1500:128:d3CwkdAkGnfthTevcIAclw==:gAmbV8CATSve8sQDJhiOvH4N6oFlYn9E1Y9kmPNPct/cfp+Um/AVNjjFt4/qPzeb2nOc6W+2i4CwdoquhVYZE0P1TIAoQE/eQptR+2JQGxrXtaMQ5gTRIMkW3xOn6DlN1SVXewPmI90/k7GE4CznKlTQ4SDn3wdUC6pibo9vsmk="},
	{password.MediaWiki, otherWords, ":A:e3ba23c71cb44280f92dc34803eb1a22"},
	{password.MediaWiki, otherWords, ":B:3eb28823:cded62f7701f4c11064184f6510189ae"},
	{password.MediaWiki, otherWords, ":pbkdf2:sha512:1500:64:iv3KyEoqfEpxLNTxrHHkOQ==:ys73vA1eD2gFgShX5fQLRdayNMK55WGcN742+A9+YLHetAqdO3JUQNyHRiXOqas7CPi4mBczYz+9klT7dZWw+g=="},
	{password.MediaWiki, otherWords, ":pbkdf2:sha256:1500:128:fYumH64HkEAnBdEPTfcbMg==:9J+YjuXmzPrWAvFtHHC1o8BFsfi2bdk8A5kG1U9dd5RfdTIBiW57Eves3QIPBiOLOyHHGQ/+E0he7YvBJ0p+DUIeSHoB22R3+hH6J02CRum9QHGrAsXsM4jxUj5AjnXi6cULKdVU72HuEyTPs1WDDSGe+G+nv1/z4rFXzz3sqoc="},

	// Devise 4.8.1 on bcrypt 3.1.18 (Ruby 3.1.2), config.pepper as devisePepper.
	{password.Devise, plainWords, "$2a$05$NIdxY/wJRQh.A8SOtPcVjeHswfg6BI984y/VDGv2Vfnh5iUCdCWUK"},
	{password.DevisePeppered, plainWords, "$2a$05$adIXdM4b4uIig3IcKn0rouyy8/VoRqP53CKQqBArQF3inugWnKyQy"},
	{password.Devise, otherWords, "$2a$05$4af/Qq57BCPliYbBe.kB2uM21rhKmyiPsJwhw58bNp7ttFuVXxEli"},
	{password.DevisePeppered, otherWords, "$2a$05$QAS0y4ELU2gksYpT3lEkFenlppKqCBidT9dH/P4d9XkOMhPDDyZtG"},
	{password.Devise, strings.Repeat("x", 72), "$2a$05$Wkwl5UNOeQWh7sfLXCXE2ev7sDuq8804At4l1yALxdGbbv2cChiya"},
	{password.DevisePeppered, strings.Repeat("x", 72), "$2a$05$l2zvrvqCisPlQlu9zXFM7OX8/0ifv6WpRzqm52ccXrI748zC/Cdkm"},

	// drupal-hash 1.0.4 (Node 20).
	{password.Drupal, plainWords, "$S$Dilv3tQOI6PNSD9LIlQulPkxVUfgd6AAb.VO.mnHTMn8X/aiKxBE"},
	{password.Drupal, otherWords, "$S$D.WNvJfTOA5wAvMlJR80afCskwhndbjk0lBA/l.YNqtgWDdmFVyY"},

	// aspnetcore-identity-password-hasher 1.0.1 (Node 20).
	{password.ASPNET, plainWords, "AQAAAAEAACcQAAAAEPszbq/oVYsoZKMsR5Q8fmYrr9tEawpAnbjm221vwvUC9FwppBqMmP5PpR4Do7ij6A=="},
	{password.ASPNET, otherWords, "AQAAAAEAACcQAAAAEF45DMJHcPeLuNgG3ioVSdtDEXbkcnxG/r8jyZeO4qDB3QYlTNdcnMfoN5JVX0WjyQ=="},

	// core/tests of Drupal 8, PhpassHashedPasswordTest.
	{password.Drupal, "valid password", "$S$5TOxWPdvJRs0P/xZBdrrPlGgzViOS0drHu3jaIjitesfttrp18bk"},
	{password.Drupal, "valid password", "U$S$5vNHDQyLqCTvsYBLWBUWXJWhA0m3DTpBh04acFEOGB.bKBclhKgo"},

	// the tests of DokuWiki.
	{password.Drupal, "pouette1234", "U$S$9c47LGZuhR6TvhRQXzymkJIQ3mXthUCc6KDEGTt4B7eOL/H9Ykuy"},

	// ASP.NET Core, PasswordHasherTest.cs.
	{password.ASPNET, "my password", "AAABAgMEBQYHCAkKCwwNDg+ukCEMDf0yyQ29NYubggHIVY0sdEUfdyeM+E1LtH1uJg=="},
	{password.ASPNET, "my password", "AQAAAAEAACcQAAAAEAABAgMEBQYHCAkKCwwNDg+yWU7rLgUwPZb1Itsmra7cbxw2EFpwpVFIEtP+JIuUEw=="},
	{password.ASPNET, "my password", "ANXrDknc7fGPpigibZXXZFMX4aoqz44JveK6jQuwY3eH/UyPhvr5xTPeGYEckLxz9A=="},
	{password.ASPNET, "my password", "AQAAAAIAAAAyAAAAEOMwvh3+FZxqkdMBz2ekgGhwQ4B6pZWND6zgESBuWiHw"},
	{password.ASPNET, "my password", "AQAAAAIAAAD6AAAAIJbVi5wbMR+htSfFp8fTw8N8GOS/Sje+S/4YZcgBfU7EQuqv4OkVYmc4VJl9AGZzmRTxSkP7LtVi9IWyUxX8IAAfZ8v+ZfhjCcudtC1YERSqE1OEdXLW9VukPuJWBBjLuw=="},
	{password.ASPNET, "my password", "AQAAAAAAAAD6AAAAEAhftMyfTJylOlZT+eEotFXd1elee8ih5WsjXaR3PA9M"},
	{password.ASPNET, "my password", "AQAAAAEAA9CQAAAAIESkQuj2Du8Y+kbc5lcN/W/3NiAZFEm11P27nrSN5/tId+bR1SwV8CO1Jd72r4C08OLvplNlCDc3oQZ8efcW+jQ="},

	// Spring Security 5.3, PasswordEncoderFactoriesTests.java.
	{password.Spring, "password", "{bcrypt}$2a$10$dXJ3SW6G7P50lGmMkkmwe.20cQQubK3.HZWzG3YB1tlRy.fqvM/BG"},
	{password.Spring, "password", "{ldap}{SSHA}igvD9lOiTXm16dmOw0YWRb9OjK2ThZvdQku2EQ=="},
	{password.Spring, "password", "{MD5}{aRYR+Yp2xSqtgF+vtjH6jNda6M083iEbP+zCFjLt9IA=}905e382a25eed53e22224223b3581092"},
	{password.Spring, "password", "{noop}password"},
	{password.Spring, "password", "{pbkdf2}5d923b44a6d129f3ddf3e3c8d29412723dcbde72445e8ef6bf3b508fbf17fa4ed4d6b99ca763d8dc"},
	{password.Spring, "password", "{scrypt}$e0801$8bWJaSu2IKSn9Z9kM+TPXfOc/9bdYSrN1oD9qfVThWEwdRTnO7re7Ei+fUZRJ68k9lTyuTeUp4of4g24hHnazw==$OAOec05+bXxvuu/1qZ6NUR+xQYvYv7BeL1QxwRpY5Pc="},
	{password.Spring, "password", "{SHA-1}{6581QepZz2qd8jVrT2QYPVtK8DuM2n45dVslmc3UTWc=}4f31573948ddbfb8ac9dd80107dfad13fd8f2454"},
	{password.Spring, "password", "{SHA-256}{UisHp3pFSMqcqrhQsrhR+hspIG0SyMDyDW/XtY+t6nA=}a98efbaf59277bfd1837c33fd4fde67de5bcfd2205bcba0992f6fc32b03a8f88"},
	{password.Spring, "password", "{sha256}97cde38028ad898ebc02e690819fa220e88c62e0699403e94fff291cfffaf8410849f27605abcbc0"},
	{password.Spring, "password", "{argon2}$argon2d$v=19$m=1024,t=1,p=1$c29tZXNhbHQ$Li5eBf5XrCz0cuzQRe9oflYqmA/VAzmzichw4ZYrvEU"},

	// Python 3.11.7, hashlib, in the layout of Spring Security 5.8.
	{password.Spring, plainWords, "{pbkdf2@SpringSecurity_v5_8}000102030405060708090a0b0c0d0e0f7bfa2eb2993820b0247a2bca98d96a1b24795fed8ee86507dc372eaa428a716f"},
	{password.Spring, otherWords, "{pbkdf2@SpringSecurity_v5_8}000102030405060708090a0b0c0d0e0ffa8d2c08b1ed85391784630c1ade733241bddb11dd2b226a7df6d9bc1bcc198b"},
	{password.Spring, plainWords, "{scrypt@SpringSecurity_v5_8}$80402$AAECAwQFBgcICQoLDA0ODw==$KGMryFN7nEiXqTHd758k8/nQX3x2Ghos9b3Prlyx7Us="},
	{password.Spring, otherWords, "{scrypt@SpringSecurity_v5_8}$80402$AAECAwQFBgcICQoLDA0ODw==$XkUkBcYhog1UxC7aYVe6aOCmG/7fDK2vaRTqGcE0ZpY="},

	// Django 5, tests/auth_tests/test_hashers.py.
	{password.Django, "lètmein", "scrypt$16384$seasalt$8$1$Qj3+9PPyRjSJIebHnG81TMjsqtaIGxNQG/aEB/NYafTJ7tibgfYz71m0ldQESkXFRkdVCBhhY8mx7rQwite/Pw=="},

	// Python 3.11.7, hashlib.scrypt, in the layout of Werkzeug 3.
	{password.Werkzeug, plainWords, "scrypt:1024:8:1$NaClSaltNaClSalt$1d73af2b502df76efdf0cc73e39cb0b2ab4b0f1e614f0c850ae4637a9007fab9d36d91d0c4f46cc07bc6583bec438326013e93726c5f236856efe83f5f6dae6f"},
	{password.Werkzeug, plainWords, "scrypt:256:4:3$NaClSaltNaClSalt$21e87d8c2db0804fbb6da72511d706696bfa293e96cb79e7c35db59be7b48072960d2af3f8389c8aaa8fb736e6c124c8b1747fb3deea696bc6626912bff15e1c"},
	{password.Werkzeug, otherWords, "scrypt:1024:8:1$NaClSaltNaClSalt$9bb94e0fcde6f2431cc1c678669192c92be4b67a5ae6df85d122326144421e3c7ebf0bdb1ad976a572bfa6057f32e7cef2d2aeba50fb47ef6f33c61b0fba9b50"},
	{password.Werkzeug, otherWords, "scrypt:256:4:3$NaClSaltNaClSalt$8a3020132a8dfa8a50c9cd5546d79a16259ab22627b729ff7761a636d20926816e1e384caa9a5c3e7f33715ce4b209a7abfa0fcd4dda770fd0f3003b06adc876"},

	// Python 3.11.7, hashlib, as a PHC string.
	{password.Passlib, plainWords, "$pbkdf2-sha512$i=3000,l=32$AAECAwQFBgcICQoLDA0ODw$aCwAx5lDDTSbaqq1C8He6RgYNkNt6Bu904ZFV2uYsVM"},
	{password.Passlib, otherWords, "$pbkdf2-sha512$i=3000,l=32$AAECAwQFBgcICQoLDA0ODw$43GQK81csdNxGEIS8XkPwSOzj5QMFBlKWCZfhA8mxuI"},

	// hashcat, self-test of mode 10900 (389 Directory Server).
	{password.LDAP, "hashcat", "{PBKDF2_SHA256}AACkEGhlaiBqZW5z/jtuSox0CrtV9SHiVFjYeHpQ/ki2kwDrQeSqiiTn8LOmpPCw3r6TK/JDfl+ZAXRoc3VidGxldHllIXuxBDl6ItQOMupkRn+hzi/LEdr62a7B9sNOo8BPL9Z2nOi/m9AI+nAd/qwpLD1fbeDgs2DdpCZ4QfljuCLRBdURZV3HcXDUjD7PZ1CQcIOv9VbFlbu0IBmiU7ccMyb/qoxi+rPMqE4U8f6hL0TQjTjlOzU9MpPYS+WfztpYy7lEN6QghhOz0xe+0y2rDoK+yCS4PykkNS4FFc+xeiT6SNy3r7m+0teyaQKOExLrjogWkj+t+e4bMpHNx/FL3jkjCsuZnhq/t8eshG9DKmeD9b/QMkqT8dxe0jmr0s4+GnmHpMQMAxYW3pg70TluiDp3kJrDr1/d8OQerkQRevNx"},

	// OpenLDAP 2.5.13, slappasswd with pw-sha2, pw-pbkdf2 and argon2.
	{password.LDAP, plainWords, "{SSHA}zmCJo+M4FxSjWs8tc8yNXknfByG0Jqaw"},
	{password.LDAP, plainWords, "{SMD5}F/gltVPUc28yP8aQBY0vikc4x48="},
	{password.LDAP, plainWords, "{SSHA256}wZZKAYFeikC0ZoqAd6XyqLV0JUXl+48T8gbnOh5kT1XLp4h+rjxK0Q=="},
	{password.LDAP, plainWords, "{SSHA384}OsrXOhmBAOrhtbTCaNAd3sOr0F1w+Vof1bei7NxibonGLNLyBAk1zCP1d+243hRbIGcu1lDiyIc="},
	{password.LDAP, plainWords, "{SSHA512}6hTiYwDrhV757kpmtRjwWMe+scp7nqwu6oCcyKa2g/911/8FaMIieZdWLYmsa1i3Uh1DrPDimLjft07Za8Foa75heZcaQb/u"},
	{password.LDAP, plainWords, "{SHA384}d9kw8gX8UssZq3hnNsEPJ4S6DJ5Py/x5W6gXq55EUcEiYlw/10o/tUhgjkQlsM0S"},
	{password.LDAP, plainWords, "{PBKDF2}10000$8DAkTb..q.6BeTpzgzC2GQ$jjnMiHoiEgt5nsSoYm85mkLY4x4"},
	{password.LDAP, plainWords, "{PBKDF2-SHA256}10000$6nKSrH5.vi21KOW61FdW.w$8aI3p4IHWm8f374IapvLzWRo5eew5FAB1Oc.ggtDs5I"},
	{password.LDAP, plainWords, "{PBKDF2-SHA512}10000$C4dUsZ9e5gnoWmIe9e9rhg$H92TZPIjXl6sS8xrEH3fZRBRQTZiKnyPPZYBqtGr4oA9Gr7dwmqHTLG9e3Tx3qtB2kxQJSOBp5D9COlmKKfmZw"},
	{password.LDAP, plainWords, "{CRYPT}$6$rounds=1000$gjtXjkdg$RAfZwphXf7hZoxEojXmAJ3CNgrJR9f9yh2qUpoxi/o/oLtIc.3s6YRdP1gBaRh2UDd0GDJZ0Ff0sV0E1V1bTq."},
	{password.LDAP, plainWords, "{ARGON2}$argon2i$v=19$m=256,t=2,p=1$6/0QwWt09z3uKRfqnSW1Pg$yTxh5rgFAWYu3531aU+MaM/HVvvGSbkFnIiLCGZ050k"},
	{password.LDAP, otherWords, "{SSHA}IzAGIDKcpVvlNMd+fK6TeZ2WSL+C9Ifg"},
	{password.LDAP, otherWords, "{SMD5}Dq2szh9x+w51pcB0GE7IoJufay4="},
	{password.LDAP, otherWords, "{SSHA256}0cQzbDpmTLgKJteM5jJmgbV/u+rHVkS6Dy9KGd8TY5IjZaOmOiitDA=="},
	{password.LDAP, otherWords, "{SSHA384}FKZHFAYdJDWbI9G350JsQ44anKQJ72bbwET/lKNn1Zge9pSZH4l/IY10KgH1os5hOkTxFGPTR1s="},
	{password.LDAP, otherWords, "{SSHA512}Ef7FI6DUUQ3yWgj7B/A60ay6kZ8p0msV0ePhymCiXDTik1O4TcBOYHEz2VKj5eZcyDmc4qacBURqtKqg14nzfuFvw8ws3PxO"},
	{password.LDAP, otherWords, "{SHA384}xaDg6Wf2PKJZMk8ibcRn+Vx7/7hubrPMdco0vZAlz0hPXc6glaPWD2W/o9NMZzPo"},
	{password.LDAP, otherWords, "{PBKDF2}10000$/r0JFe4i5PW9Y.5HwF7gAw$hKDqBTfz0lAIzGxg/Gr/BtzGyiU"},
	{password.LDAP, otherWords, "{PBKDF2-SHA256}10000$3ecOtiPrlArQIEyqt8J/bw$z8/3HDgnzAl8s06eq.kHaH/GQ7hWKJQC/fnisl7FydY"},
	{password.LDAP, otherWords, "{PBKDF2-SHA512}10000$5tnmoTJwjlERgrV9XwIi3w$1tIDWUmNm8SC1qabY7mL2Ks4evHC6vC5fRT2I7dTD2OiutBjQtKWvRgCwymiKubG2/vfByrP9xUwiKkclO8h3A"},
	{password.LDAP, otherWords, "{CRYPT}$6$rounds=1000$POlsMEZ7$fiDcWYBD1MEkd51Bm7f9QPQ0RfaB2VqoYs0CebX6CvcSefo2qf5cEZRP2GNzIzQHPxQUoNn6oHZB3vgUckq.C0"},
	{password.LDAP, otherWords, "{ARGON2}$argon2i$v=19$m=256,t=2,p=1$RbsUMa0PcgHRSlS8eYQP2A$DNdNHkxOiR/aTPqMmEaEBEOv9qaJrgGvby/STb15j+w"},

	// htpasswd of Apache 2.4.71.
	{password.Htpasswd, plainWords, "$apr1$QaoFWn5W$sQheI.zDgz4ztW92NQm1s1"},
	{password.Htpasswd, plainWords, "$2y$05$8MFK4i2hznZ5ytPtbo/6teK6Un1GviJgpLeHgvtbnqAIt5ccrz5Be"},
	{password.Htpasswd, plainWords, "{SHA}x5fPvYFgDcbGATGvaDXPPkWxnc8="},
	{password.Htpasswd, otherWords, "$apr1$aTgNczGO$nqngiwUvVJbWrjk3D2HTN."},
	{password.Htpasswd, otherWords, "$2y$05$39zgCnK.SNWuAGgxCY9J5OIlFEzjAzEinRo8w1yIuKQLX2ycc19Ey"},
	{password.Htpasswd, otherWords, "{SHA}T8rCe923SY47p6vkbsf0ag/vwAI="},

	// openssl passwd 3.0.19.
	{password.Htpasswd, plainWords, "$1$8sHV/Zj6$.5qa8LbR5mTD8GnCyrN0F1"},
	{password.Htpasswd, plainWords, "$apr1$gk2BbceV$JJQvHQM1tWD6gx133neCE/"},
	{password.Htpasswd, plainWords, "$5$y6XMs4s7T4fluKd0$yxSIO6wPnlP4v7C40fteFKNNZKIhAgTDc4HnNIeYwiC"},
	{password.Htpasswd, plainWords, "$6$qZMu1Jx4tCLgrQZS$J6wXcqcazHGk/eLCG6jl0RfklvuCPq3kA3tz1HvgEnrWpdJFqcrs.ykg9VwEG6S7JU7zWgUFNfzCUJzR8f7z01"},
	{password.Htpasswd, otherWords, "$1$O0QD9v/F$aQicU0Uj1nUQuNRtXcCSx/"},
	{password.Htpasswd, otherWords, "$apr1$Hvp6XVmA$YZzhXVntTR6BIjhhqOYof1"},
	{password.Htpasswd, otherWords, "$5$SfSad6FmacGqUNad$0cLzz/C6Ltv/2Ma8LnkWRrGJifBtY1EU5ZtAdnxu5wC"},
	{password.Htpasswd, otherWords, "$6$DktE4UOhI8UlaBhp$Rmo5XI9PK6UahktIzz/67xs9gbIfxzamXvgsgMWWVGDQgpSKkTBkeP9uX0G1FhOAYLr2oPVewzxAgNq0g4x2c."},

	// mkpasswd 5.5.17.
	{password.Crypt, plainWords, "$y$j85$Zgf1frjfFvS77zx22z3lG1$gv4ltNLQ9G53ap.OabcBT/FpiCQRQgIvHkE72964Jn6"},
	{password.Crypt, plainWords, "$6$rounds=2000$wvqhY1s2RUupWZE/$HX7wXpwv9E0S3YcbgGdXmUZaFzNPCQP.rgsXVkpBSIJq7tGdoa7og0oqFoji485ftJi2FqwVuMZiFWD4YYXby1"},
	{password.Crypt, otherWords, "$y$j85$hzY7ewqmJI7owSlSJIjJL0$bt0ORt6DyK1LhNeogfyHom4fDnRWQf9xCGuaD.xcIn1"},
	{password.Crypt, otherWords, "$6$rounds=2000$37uKiXTKIh8khBp8$gdvtyNMGim5GivIAnY0VyI8RbDGr3usyYkDUWtMuUwDibjtctm.RE5x3rq4vMGjHAKlk/CwWw/HVgzm/qcQ24/"},

	// Python 3.11.7, hashlib, as pbs and ejudge do.
	{password.PBS, plainWords, "sha512$abcdefgh12345678$e180cb4c69e0bc87b2430c3f1c88b567ed728609e2d89c664413ca07b1a40f4a892f9cd1dc9669a713ee334965aca1ca9fa1701410ebb2053d45c6eadb84d5d9"},
	{password.PBS, otherWords, "sha512$abcdefgh12345678$4f37786cd76686f5f85ae312318bf60b371a2efc6d6925afe4ed5057a60d4ee612eb5bb4954a140f6675932e3d6a5b7e4a1c3a19e1dc84874b7126f651df07bd"},
	{password.EjudgeSHA1, plainWords, "8ff0ee51fd4707c7e6d5a618a170d2dc6b6d96fb"},
	{password.EjudgeSHA256, plainWords, "AbC+LegGOVG55A4+mscrNCPIek+86u1JlgkiHaLKMnHiy7M="},
	{password.EjudgeBase64, plainWords, "Y29ycmVjdGhvcnNlMQ=="},
	{password.EjudgePlain, plainWords, "correcthorse1"},
	{password.PBS, plainWords, "plain$correct horse 1"},
	{password.EjudgeSHA1, otherWords, "7e2184011284bf85b6eb84ccec052bc4727f1422"},
	{password.EjudgeSHA256, otherWords, "AbC+wYo+OWm/tgGIK4t9JTZXd67wT66R6lHX+ijlVpVwiQU="},
	{password.EjudgeBase64, otherWords, "UMOkNTV3w7ZyZOS4reaWh8Ofw6k="},
	{password.EjudgePlain, otherWords, "Pä55wörd中文ßé"},
	{password.PBS, otherWords, "plain$Pä55wörd 中文 ßé"},
}
