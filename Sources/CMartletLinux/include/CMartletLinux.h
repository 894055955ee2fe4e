#pragma once

#include "MartletDevices.h"
#include "MartletFiles.h"
#include "MartletPoll.h"
