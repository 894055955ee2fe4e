/// A certificate for martlet.test that signs itself, made for these tests and trusted by nobody else.
enum Certificate {
  static let chain = """
    -----BEGIN CERTIFICATE-----
    MIIBnjCCAUSgAwIBAgIURkm9f8F3feTu+u+QrD7LnulIFrwwCgYIKoZIzj0EAwIw
    FzEVMBMGA1UEAwwMbWFydGxldC50ZXN0MCAXDTI2MTEyMTEyMTc0M1oYDzIxMjYx
    MDI4MTIxNzQzWjAXMRUwEwYDVQQDDAxtYXJ0bGV0LnRlc3QwWTATBgcqhkjOPQIB
    BggqhkjOPQMBBwNCAAR9wwwNG4oITRAbhGHpZWzSV/6OVJOSHWcIIIV0+9722Ac8
    jq2jjy+ueRFfRyGjjm1ChVm8II3jgG4l3n9sZO8Go2wwajAdBgNVHQ4EFgQUymH1
    3t0Mi3YusgeD9A/7nPAtYSUwHwYDVR0jBBgwFoAUymH13t0Mi3YusgeD9A/7nPAt
    YSUwDwYDVR0TAQH/BAUwAwEB/zAXBgNVHREEEDAOggxtYXJ0bGV0LnRlc3QwCgYI
    KoZIzj0EAwIDSAAwRQIhAMEmliPsK9c2QfzYV/2gRue5MKMieqfDKMeBn/WRSfBP
    AiA6av9w831sqqbAR8w4hmIX58SEWAmFlCzMWwLoOLX9jA==
    -----END CERTIFICATE-----
    """
  static let key = """
    -----BEGIN PRIVATE KEY-----
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgpekUwKxx/HMk+Oyc
    Xqxred/1k820fG/hW13OwY1HWDChRANCAAR9wwwNG4oITRAbhGHpZWzSV/6OVJOS
    HWcIIIV0+9722Ac8jq2jjy+ueRFfRyGjjm1ChVm8II3jgG4l3n9sZO8G
    -----END PRIVATE KEY-----
    """

  /// The key of nothing.
  static let otherKey = """
    -----BEGIN PRIVATE KEY-----
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg9TgN4ljTQsgFvPdl
    dyxQdqMG/6cAJaC4h0pguBCSIgmhRANCAAQmcC3SStFHDbqBmYwTmL5MUg66VFJG
    gJhc+sD5iGKg1htwKKiNmusS9MDRou+DCO4pLzKrbJGqmfvvUBDhaAiF
    -----END PRIVATE KEY-----
    """
}
