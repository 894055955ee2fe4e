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

  /// Another, for docs.test, and its key.
  static let docsChain = """
    -----BEGIN CERTIFICATE-----
    MIIBlDCCATugAwIBAgIUcikWF2yEb5T6vsp3um3TyxcRQUowCgYIKoZIzj0EAwIw
    FDESMBAGA1UEAwwJZG9jcy50ZXN0MCAXDTI2MTEyMTE2MDcyOVoYDzIxMjYxMDI4
    MTYwNzI5WjAUMRIwEAYDVQQDDAlkb2NzLnRlc3QwWTATBgcqhkjOPQIBBggqhkjO
    PQMBBwNCAARedm23PbbozTJ769D2F3LsbqlFd4PHHUa9SqerebtAhwuP933xMDO7
    41UUUtb5JYC/8nvresIqeMO6HiJcV6dbo2kwZzAdBgNVHQ4EFgQUag1Zna94pl6x
    v3P+YQuqI1M3plswHwYDVR0jBBgwFoAUag1Zna94pl6xv3P+YQuqI1M3plswDwYD
    VR0TAQH/BAUwAwEB/zAUBgNVHREEDTALgglkb2NzLnRlc3QwCgYIKoZIzj0EAwID
    RwAwRAIgKBuiCb+cfkXWYC4kORFnpbOx4uqU8nHoRT+oqd56BP8CICjullOCnIj/
    /8Hw2iC3P9qunP8Cw11E3OGeHfr+83DD
    -----END CERTIFICATE-----
    """
  static let docsKey = """
    -----BEGIN PRIVATE KEY-----
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg36QNY46FBnhKKucS
    e86C88RN3IF8HVnEoMmKiX/Tbw6hRANCAARedm23PbbozTJ769D2F3LsbqlFd4PH
    HUa9SqerebtAhwuP933xMDO741UUUtb5JYC/8nvresIqeMO6HiJcV6db
    -----END PRIVATE KEY-----
    """
}
