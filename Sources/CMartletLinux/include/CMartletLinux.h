#pragma once

#include "MartletDevices.h"
